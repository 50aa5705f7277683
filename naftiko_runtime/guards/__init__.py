"""What stands between a call and an upstream that it could change: the operator's rules."""
