"""Compiles a capability model to a plan in which everything that load can decide is decided."""
