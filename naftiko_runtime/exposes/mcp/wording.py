"""What clients are told of calls that went wrong, in words that a model can act on."""

from __future__ import annotations

import json
from typing import Final

from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.exposes.mcp.answer_content import text_of
from naftiko_runtime.failures import Failure, Question

_LONGEST_ERROR: Final = 4000
"""Characters of an upstream's error that a model is shown; error pages can be long."""
_LONGEST_PREVIEW: Final = 1500
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
    if failure.question is not None and failure.question.url is not None:
        text = f"{sentence(text)} {_approval_text(failure, failure.question.url)}"
    return text + _UNSURE if failure.executed else text


def sentence(text: str) -> str:
    """A text that another sentence can follow."""
    return text if text.rstrip().endswith((".", "?", "!")) else f"{text}."


def question_text(failure: Failure, question: Question, tool: str) -> str:
    """How a model has a question answered, by which tool with which arguments."""
    yes, no = (
        json.dumps(dict(each), ensure_ascii=False, default=str)
        for each in (question.accept, question.decline)
    )
    refusing = f", for no with {no}" if question.decline else ""
    asked = "" if question.message in failure.detail else f': "{question.message}"'
    return (
        f"Put this question to the user{asked}. For yes, call the tool "
        f'"{tool}" with {yes}{refusing}.'
    )


def _approval_text(failure: Failure, url: str) -> str:
    """What of an approval the detail does not say already."""
    approval = failure.details.get("approval")
    known = approval if isinstance(approval, dict) else {}
    facts = [f"{name} {known[name]}" for name in ("id", "expires") if name in known]
    if url not in failure.detail:
        facts.insert(0, f"address {url}")
    preview = known.get("preview")
    if preview is not None:
        shown = json.dumps(preview, ensure_ascii=False, default=str)
        facts.append(f"preview {shown[:_LONGEST_PREVIEW]}")
    return (
        f"Approval: {', '.join(facts)}. Ask the user to decide there; after it was approved, "
        "repeat exactly the same call. No argument can approve it."
    )


def _at_step(failure: Failure) -> str:
    """The step that failed, where the detail does not begin with it anyway."""
    if failure.step is None:
        return ""
    place = f'step "{failure.step}": '
    return "" if failure.detail.startswith(place) else place
