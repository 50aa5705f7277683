"""Where variables come from."""
