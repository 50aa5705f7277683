"""Executes a plan for one call."""
