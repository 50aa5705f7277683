"""A local simulator of Interactive Brokers' Client Portal Gateway, with play money.

`python -m examples.paper_gateway` runs it; `server.running_gateway()` starts it inside a test.
"""
