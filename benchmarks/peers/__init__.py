"""Hand-written programs that do what a capability file says, for comparison."""
