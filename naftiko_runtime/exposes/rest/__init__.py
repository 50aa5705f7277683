"""The REST adapter: `build_rest_table` merges plans for a port, `RestApplication` serves it."""
