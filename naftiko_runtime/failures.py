"""Why a call failed: one typed failure, mapped once per protocol to what its callers expect.

The `slug` of a kind is part of the interface: it ends the `type` of a problem document
(RFC 9457) and names the section of docs/errors.md that explains it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final

from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.lazy_dataclasses import dataclass


class FailureKind(Enum):
    """Every way a call can fail: slug, HTTP status, title."""

    UNKNOWN_PATH = ("unknown-path", 404, "Unknown path")
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, "Method not allowed")
    INVALID_INPUT = ("invalid-input", 400, "Invalid input")
    BODY_TOO_LARGE = ("body-too-large", 413, "Request body too large")
    UNSUPPORTED_MEDIA_TYPE = ("unsupported-media-type", 415, "Unsupported media type")
    FORBIDDEN_HOST = ("forbidden-host", 403, "Host or origin not allowed")
    UNAUTHENTICATED = ("unauthenticated", 401, "Authentication required")
    INSUFFICIENT_SCOPE = ("insufficient-scope", 403, "Not allowed to this caller")
    TOO_MANY_FAILURES = ("too-many-failures", 429, "Too many failed authentications")
    ISSUER_UNAVAILABLE = ("issuer-unavailable", 503, "Tokens cannot be checked")
    UNSET_VARIABLE = ("unset-variable", 500, "Variable not set")
    UPSTREAM_UNREACHABLE = ("upstream-unreachable", 502, "Upstream unreachable")
    UPSTREAM_UNTRUSTED = ("upstream-untrusted", 502, "Upstream certificate not trusted")
    UPSTREAM_CREDENTIALS = ("upstream-credentials", 502, "No access to the upstream")
    UPSTREAM_BROKEN = ("upstream-broken", 502, "Upstream broke off the exchange")
    UPSTREAM_INVALID = ("upstream-invalid-answer", 502, "Upstream answer not usable")
    UPSTREAM_TOO_LARGE = ("upstream-answer-too-large", 502, "Upstream answer too large")
    STEP_FAILED = ("step-failed", 502, "A step failed")
    SCRIPT_FAILED = ("script-failed", 500, "A script failed")
    UPSTREAM_TIMEOUT = ("upstream-timeout", 504, "Upstream too slow")
    CONTENT_TOO_LARGE = ("content-too-large", 500, "Content too large to send at once")
    SESSION_ENDED = ("session-ended", 502, "Not logged in to the upstream")
    CIRCUIT_OPEN = ("circuit-open", 503, "Upstream out of order")
    TOO_MANY_CALLS = ("too-many-calls", 429, "Too many calls")
    HALTED = ("halted", 503, "Halted by the operator")
    READ_ONLY = ("read-only", 403, "Nothing may be changed")
    BEYOND_LIMIT = ("beyond-limit", 403, "Beyond a limit of the operator")
    APPROVAL_REQUIRED = ("approval-required", 428, "Approval required")
    APPROVAL_REFUSED = ("approval-refused", 403, "Approval refused")
    KEY_CONFLICT = ("key-conflict", 409, "Key already used")
    OUTCOME_UNKNOWN = ("outcome-unknown", 409, "Outcome of an earlier call unknown")
    QUESTION_OPEN = ("question-open", 409, "A question is to be answered first")
    REFUSED_BY_FILE = ("refused", 400, "Refused")
    AUDIT_UNAVAILABLE = ("audit-unavailable", 503, "The call cannot be recorded")
    STATE_UNAVAILABLE = ("state-unavailable", 503, "Shared state unreachable")
    TOO_MANY_SUBSCRIBERS = ("too-many-subscribers", 503, "Too many subscribers")
    SHUTTING_DOWN = ("shutting-down", 503, "Shutting down")
    INTERNAL = ("internal-error", 500, "Internal error")

    def __init__(self, slug: str, status: int, title: str) -> None:
        self.slug = slug
        self.status = status
        self.title = title


NO_DETAILS: Final[Mapping[str, JsonValue]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Question:
    """What a person could be asked, by an adapter whose clients can ask (MCP elicitation).

    With `url` the person answers there, outside of the model's reach, and the same call is
    repeated afterwards. Without, the person is asked `message` for a yes or a no, which is carried
    out by the exposed operation `operation` of the same adapter with the arguments `accept` or
    `decline`.
    """

    id: str
    message: str
    url: str | None = None
    operation: str = ""
    accept: Mapping[str, JsonValue] = dataclasses.field(default_factory=lambda: NO_DETAILS)
    decline: Mapping[str, JsonValue] = dataclasses.field(default_factory=lambda: NO_DETAILS)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed call as its caller may see it.

    `detail` is one or two sentences for a person: what was wrong and what to do; it never holds
    a secret, a stack trace or an upstream's body. `field` names the input at fault, if one is.
    `executed` is False only when the upstream provably never got the request, nor any upstream an
    earlier one of the same sequence that could change something. `step` names the step of a
    sequence that failed, `status` the HTTP status to answer with instead of the kind's own.
    `details` are further members of the problem for programs to read (an approval's id and
    address), `retry_after` the whole seconds after which the same call may be worth another try,
    and `question` what a person could answer so that it succeeds. `body` is what the file has REST
    callers be given instead of a problem document.
    """

    kind: FailureKind
    detail: str
    field: str | None = None
    executed: bool = False
    step: str | None = None
    status: int | None = None
    details: Mapping[str, JsonValue] = dataclasses.field(default_factory=lambda: NO_DETAILS)
    retry_after: int | None = None
    question: Question | None = None
    body: MaybeJson = MISSING

    @property
    def http_status(self) -> int:
        return self.status or self.kind.status


class CallFailed(Exception):
    """Carries a Failure from where it happened to the engine, which turns it into an outcome."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


def fail(
    kind: FailureKind, detail: str, *, field: str | None = None, executed: bool = False
) -> CallFailed:
    """A CallFailed to raise: `raise fail(FailureKind.INVALID_INPUT, "...", field="conids")`."""
    return CallFailed(Failure(kind, detail, field, executed))
