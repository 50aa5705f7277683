"""The operator's settings as a typed value, every default one that is safe.

Durations are in seconds. Patterns are names with `*` for any text, compared without regard to
case, against a consumed namespace or a consumed operation (`namespace.operation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import Enum
from pathlib import Path
from typing import Final

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Place

REST: Final = "rest"
MCP: Final = "mcp"


@dataclass(frozen=True, slots=True)
class Pacing:
    """A token bucket for each origin: `rate` calls a second, `burst` at once. Over it at most
    `queue` calls wait their turn, none longer than `wait`."""

    rate: float
    burst: int = 1
    queue: int = 64
    wait: float = 5.0


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a call is sent again that is idempotent or provably was not sent. `delay` doubles
    with each try up to `longest`, with jitter."""

    times: int = 2
    delay: float = 0.2
    longest: float = 5.0


@dataclass(frozen=True, slots=True)
class Breaker:
    """After `failures` in a row an origin is left alone for `pause`."""

    failures: int = 5
    pause: float = 10.0


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """A consumed operation that is called again and again to keep a session open. `safe` says
    that it changes nothing, whatever its method says."""

    call: str
    every: float
    safe: bool = False


class TrustChoice(Enum):
    """What vouches for an upstream's certificate: the usual order (a kept certificate, else the
    authorities), a kept certificate alone, authorities alone, or nothing (loopback only)."""

    USUAL = "usual"
    PINNED = "pinned"
    AUTHORITIES = "authorities"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class UpstreamRule:
    """What is set for the consumed namespaces that `match` fits; None leaves it to the rule for
    `*`, and to the defaults. `login` is the address at which a person logs in: with it, a 401, a
    redirect and a page instead of data mean that the session has ended. `operations` paces single
    operations, by a pattern of their names."""

    match: str
    timeout: float | None = None
    pool: int | None = None
    base_uri: str | None = None
    trust: TrustChoice | None = None
    pacing: Pacing | None = None
    retries: Retries | None = None
    breaker: Breaker | None = None
    keep_alive: KeepAlive | None = None
    login: str | None = None
    operations: Mapping[str, Pacing] = field(default_factory=dict)
    place: Place | None = None


class Mode(Enum):
    """What a guard lets through: everything that its other conditions allow, or only what changes
    nothing."""

    OPEN = "open"
    READ_ONLY = "read-only"


@dataclass(frozen=True, slots=True)
class Approval:
    """A person has to approve each call, within `expires`. `preview` is appended to the path of
    the request; what the upstream answers there to the same body is shown to the person."""

    expires: float = 60.0
    preview: str | None = None


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Calls with equal values at `key` (a JSONPath) within `window` are one call. `required`:
    a call without a value there is refused."""

    key: str
    window: float = 86400.0
    required: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound for all values at a JSONPath. Nothing there is beyond the limit too, unless
    `optional`."""

    value: str
    least: float | None = None
    most: float | None = None
    allow: tuple[JsonValue, ...] = ()
    optional: bool = False
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class GuardRule:
    """The first rule whose pattern fits a consumed operation decides for it. JSONPaths read the
    request as it would be sent: `{method, path, query, headers, body, arguments}`. `callers` are
    the protocols that it is for."""

    match: tuple[str, ...]
    callers: frozenset[str] = frozenset({REST, MCP})
    mode: Mode = Mode.OPEN
    approve: Approval | None = None
    idempotency: Idempotency | None = None
    limits: tuple[Limit, ...] = ()
    place: Place | None = None


_LOOPBACK_FOR_ALL: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound


@dataclass(frozen=True, slots=True)
class ApprovalPage:
    """Where a person approves. `password` is made anew at each start where none is set; `url` is
    the page's address as callers are told it, where a proxy stands in front of it."""

    port: int = 9099
    address: str = "127.0.0.1"
    password: Secret | None = None
    url: str | None = None

    @property
    def base(self) -> str:
        """The page's address as a person opens it, without a slash at the end. What listens
        everywhere is named as this machine finds it."""
        if self.url is not None:
            return self.url.rstrip("/")
        host = _LOOPBACK_FOR_ALL.get(self.address, self.address)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    def link(self, id_: str) -> str:
        """Where a person finds the parked call of that id."""
        return f"{self.base}/approvals/{id_}"


IN_MEMORY: Final = Secret("memory")


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """All of `runtime.yaml`. `file` is None where there is none; paths are absolute. `hidden` are
    patterns of MCP tools that are not offered. While `halt` exists, nothing is changed. `state` is
    `memory` or the address of a Redis server."""

    file: Path | None = None
    upstreams: tuple[UpstreamRule, ...] = ()
    guards: tuple[GuardRule, ...] = ()
    hidden: tuple[str, ...] = ()
    approvals: ApprovalPage = ApprovalPage()
    audit: Path | None = None
    halt: Path | None = None
    state: Secret = IN_MEMORY


NO_SETTINGS: Final = RuntimeSettings()
