"""The gateway's calls, one module per surface, as functions of the state and one `Call`.

Nothing here knows about HTTP: a function returns the JSON document of a 200 answer or raises
`Refusal`. Each module ends with `CALLS`, the routes that it answers.
"""
