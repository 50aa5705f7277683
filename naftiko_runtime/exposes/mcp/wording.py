"""What clients are told of calls that went wrong, in words that a model can act on."""

from __future__ import annotations

from typing import Final

from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.exposes.mcp.answer_content import text_of
from naftiko_runtime.failures import Failure

_LONGEST_ERROR: Final = 4000
"""Characters of an upstream's error that a model is shown; error pages can be long."""
_UNSURE: Final = " The call may have been executed all the same: check before you repeat it."


def is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def status_text(operation: str, answer: Answer) -> str:
    """An upstream's answer that is no success: its status, when to come back, and its body."""
    text = f"HTTP {answer.status} from {operation}"
    retry_after = next((value for name, value in answer.headers if name == "retry-after"), None)
    if retry_after is not None:
        text += f" (Retry-After: {retry_after[:60]})"
    body = text_of(answer)
    if body is None:
        return f"{text}: {len(answer.body)} bytes of {answer.content_type or 'no stated type'}"
    if len(body) > _LONGEST_ERROR:
        body = f"{body[:_LONGEST_ERROR]}… ({len(body) - _LONGEST_ERROR} characters more)"
    return f"{text}: {body}" if body.strip() else text


def failure_text(failure: Failure, hint: str = "") -> str:
    """What failed, where in a sequence, and whether it may be repeated. `hint` follows the
    detail."""
    text = f"{failure.kind.title}: {_at_step(failure)}{failure.detail}{hint}"
    if failure.retry_after is not None:
        text += f" (Retry-After: {failure.retry_after})"
    return text + _UNSURE if failure.executed else text


def _at_step(failure: Failure) -> str:
    """The step that failed, where the detail does not begin with it anyway."""
    if failure.step is None:
        return ""
    place = f'step "{failure.step}": '
    return "" if failure.detail.startswith(place) else place
