"""Control adapters: health, state, logs, metrics and traces of a running process."""
