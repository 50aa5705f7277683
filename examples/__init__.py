"""Programs that show the runtime at work; none of them is needed to use it."""
