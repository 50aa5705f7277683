"""The page on which a person approves calls, out of the reach of models.

It has a port and a login of its own, works without scripts, and shows texts of strangers (a model
writes the arguments, an upstream the preview) so that they cannot pass for anything else.
"""
