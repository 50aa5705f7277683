"""A running process: listeners, files sharing a port, live reload, start and stop."""
