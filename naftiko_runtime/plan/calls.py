"""One upstream call as a plan: what it can refer to, the request that it makes, and what becomes of
the answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import field

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.formats import JSON, RawFormat
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.logins import Login

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""

METHOD_HEADERS = frozenset({"xhttpmethodoverride", "xhttpmethod", "xmethodoverride"})
"""Folded names of headers with which some servers let a request be of another method."""


@dataclass(slots=True)
class Scope:
    """What a call can refer to while it runs: the caller's values by input name, the raw request
    body, and the outputs of the steps so far. Lives for one call."""

    values: dict[str, JsonValue]
    raw_body: bytes | None = None
    steps: dict[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """One HTTP request, ready to send. `url` is absolute and percent-encoded; `upstream` is the
    consumed namespace, for settings and messages; `secrets` are texts that must not be shown.
    `login` is None unless its credentials take an exchange with the upstream or an issuer.
    `permit` is awaited each time right before it is sent, whatever it has waited for until then;
    it raises what is to become of the call where it may not be sent any more. `declared_safe` is
    what the file says of its operation."""

    upstream: str
    operation: str
    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    content: bytes | None = None
    secrets: tuple[str, ...] = ()
    login: Login | None = None
    permit: Callable[[], Awaitable[None]] | None = None
    declared_safe: bool = False


def methods_of(request: UpstreamRequest) -> set[str]:
    """The methods that an upstream may take a request to be of."""
    given = {
        value.strip().upper()
        for name, value in request.headers
        if fold_name(name) in METHOD_HEADERS
    }
    return {request.method, *given}


def is_safe(request: UpstreamRequest) -> bool:
    """Whether a request changes nothing, by its method."""
    return methods_of(request) <= SAFE_METHODS


def changes_nothing(request: UpstreamRequest) -> bool:
    """Whether a request changes nothing, by its method or by what its file declares. That says
    nothing of repeating it: only a method does. A declaration counts for POST alone."""
    methods = methods_of(request)
    if request.declared_safe:
        methods.discard("POST")
    return methods <= SAFE_METHODS


def method_of(request: UpstreamRequest) -> str:
    """The method that counts: one that is not safe, if a header names one."""
    return min(methods_of(request) - SAFE_METHODS, default=request.method)


@dataclass(frozen=True, slots=True)
class OutputPlan:
    """What becomes of a JSON answer. `map` is None when the answer is returned as it came.

    `schema` describes the result (JSON Schema 2020-12), None when the file does not say.
    `raw_format` is the format of the upstream's answer.
    """

    map: Callable[[JsonValue, Scope], JsonValue] | None = None
    schema: Mapping[str, JsonValue] | None = None
    raw_format: RawFormat = JSON


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Shelf:
    """Stands for the place where answers of one capability are kept. A reload takes another."""


@dataclass(frozen=True, slots=True)
class CallPlan:
    """One upstream call: `build` makes the request out of a call's scope (raises CallFailed when
    a variable is not set or a value does not fit its place). `names_method` says that a header of
    it is one of METHOD_HEADERS. `declared_safe` is what the file says of its operation."""

    upstream: str
    operation: str
    method: str
    build: Callable[[Scope], UpstreamRequest]
    names_method: bool = False
    declared_safe: bool = False

    @property
    def is_safe(self) -> bool:
        """Whether it changes nothing, by its method or by what the file declares of a POST."""
        return self.method in SAFE_METHODS or (self.declared_safe and self.method == "POST")
