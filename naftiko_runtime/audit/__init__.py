"""The journal of calls that can change something."""
