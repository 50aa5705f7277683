"""Looks at everything that calls depend on: each thing is well, or there is something to do."""
