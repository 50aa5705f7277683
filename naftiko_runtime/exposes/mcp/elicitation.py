"""What a client can be asked on behalf of its user, and what an answer to it means.

MCP knows two ways: a form that the client shows (2025-06-18 and later), and an address that it
opens in the user's browser, out of the model's reach (2025-11-25 and later).
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

import mcp_types as types

from naftiko_runtime.failures import Question

ANSWER: Final = "answer"
"""The one field of a form."""

_FIRST_WITH_FORMS: Final = "2025-06-18"
_FIRST_WITH_ADDRESSES: Final = "2025-11-25"
_ANSWER_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {ANSWER: {"type": "boolean", "title": "Yes"}},
    "required": [ANSWER],
}


class Reply(Enum):
    """What a person has said: yes, no, or nothing that decides."""

    YES = "yes"
    NO = "no"
    NOTHING = "nothing"


def can_be_asked(
    question: Question, capabilities: types.ClientCapabilities | None, version: str
) -> bool:
    """Whether a client that speaks this version says that it can put the question to its user.

    One with an address is never put as a form instead: a model may fill in forms, and must not
    approve.
    """
    offered = capabilities.elicitation if capabilities is not None else None
    if offered is None:
        return False
    if question.url is not None:
        return offered.url is not None and version >= _FIRST_WITH_ADDRESSES
    # Neither mode named means forms, as in the version that knew no other
    takes_forms = offered.form is not None or offered.url is None
    return takes_forms and version >= _FIRST_WITH_FORMS


def request_of(question: Question, *, is_handshake: bool) -> types.ElicitRequest:
    """The question as a client takes it; only the handshake versions give it an id."""
    params: types.ElicitRequestFormParams | types.ElicitRequestURLParams
    if question.url is None:
        params = types.ElicitRequestFormParams(
            message=question.message, requested_schema=_ANSWER_SCHEMA
        )
    else:
        params = types.ElicitRequestURLParams(
            message=question.message,
            url=question.url,
            elicitation_id=question.id if is_handshake else None,
        )
    return types.ElicitRequest(params=params)


def reply_of(question: Question, result: types.ElicitResult) -> Reply:
    """What a client's answer means. To open an address is no approval: YES says no more than that
    the person has gone there."""
    if result.action == "decline":
        return Reply.NO
    if result.action != "accept":
        return Reply.NOTHING
    if question.url is not None:
        return Reply.YES
    answer = (result.content or {}).get(ANSWER)
    if answer is True:
        return Reply.YES
    return Reply.NO if answer is False else Reply.NOTHING
