"""Reads a capability file to a checked, typed model."""
