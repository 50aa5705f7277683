"""What a running process records of its calls: spans, metrics, and the trace that calls belong to.

The lowest layer beside `problems` and `failures`: adapters start a trace, the engine and the
upstream client add to whatever trace they find themselves in (`current_span`), and none of them
knows who reads it. Recorded is what files declare (names of operations, namespaces, routes) and
how a call ended; never a value that a caller or an upstream gave.
"""
