"""What may be called on schedule: nobody judges these calls, and no halt stops them."""

from __future__ import annotations

from naftiko_runtime.plan.operation import CallPlan, OperationPlan
from naftiko_runtime.settings.model import KeepAlive


def may_be_kept(plan: OperationPlan, asked: KeepAlive) -> bool:
    """Whether a consumed operation changes nothing: by its method, or, of POST, by what its file
    or the operator declares."""
    call = plan.action
    if not isinstance(call, CallPlan) or call.names_method:
        return False
    return call.is_safe or (asked.safe and call.method == "POST")
