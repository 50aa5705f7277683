"""Calls upstream HTTP APIs."""
