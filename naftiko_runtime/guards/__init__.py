"""What stands between a call and an upstream that it could change: the operator's rules.

A process has one `Guards`. It gives a `GuardedCall` for each call that could change something; that
one takes the place of the upstream client for the call, so that each of its requests is judged as
it would really be sent: halted? read-only? within the limits? a repetition? approved? recorded?
"""
