"""The login and the brokerage session: who may call what, and what a session remembers.

There are two layers, as in the real gateway. A person logs in with a browser; while that holds,
the account can be looked at. On top of it the brokerage session (`/iserver` calls) can be open,
lapsed, or taken by another login of the same user.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from examples.paper_gateway.clock import milliseconds
from examples.paper_gateway.json_values import JsonValue
from examples.paper_gateway.questions import OpenPlacement

ACCOUNT = "DU1234567"
USER_ID = 123456789
USER_NAME = "paper1234"

IDLE_LIMIT = 360.0
"""A session that nobody called for this many seconds ends."""

AGE_LIMIT = 86_400.0
"""A session ends after this many seconds whatever is called."""


class Brokerage(StrEnum):
    """What has become of the brokerage session of a user who is logged in."""

    OPEN = "open"
    LAPSED = "lapsed"
    TAKEN = "taken"
    """Another login of the same user has it: the session is competing."""


@dataclass(slots=True)
class SessionMemory:
    """What the gateway knows only until the brokerage session ends or is opened anew."""

    accounts_listed: bool = False
    portfolio_listed: bool = False
    orders_listed: bool = False
    snapshots: dict[int, int] = field(default_factory=dict)
    """By conid, how many snapshots were answered since it was subscribed."""
    suppressed: set[str] = field(default_factory=set)
    """Message ids of questions that are not asked any more."""
    placement: OpenPlacement | None = None
    """The placement that waits for a reply; there is never more than one."""


class Session:
    """The login state of one gateway; it belongs to the `PaperGateway` that created it."""

    def __init__(self, clock: Callable[[], float], tokens: random.Random) -> None:
        self._clock = clock
        self._tokens = tokens
        self._logged_in_at: float | None = None
        self._used_at = 0.0
        self._brokerage = Brokerage.LAPSED
        self._id = ""
        self.memory = SessionMemory()

    @property
    def logged_in(self) -> bool:
        """Whether a person's login holds; ends the session when its time is over."""
        if self._logged_in_at is None:
            return False
        now = self._clock()
        if now - self._used_at > IDLE_LIMIT or now - self._logged_in_at > AGE_LIMIT:
            self.log_out()
        return self._logged_in_at is not None

    @property
    def authenticated(self) -> bool:
        """Whether orders and market data may be called."""
        return self.logged_in and self._brokerage is Brokerage.OPEN

    @property
    def state(self) -> str:
        """`logged-out`, or how the brokerage session stands: `open`, `lapsed` or `taken`."""
        return self._brokerage.value if self.logged_in else "logged-out"

    def log_in(self) -> None:
        """What the browser does; it opens the brokerage session too."""
        self._logged_in_at = self._used_at = self._clock()
        self._id = f"{self._tokens.getrandbits(128):032x}"
        self._open()

    def log_out(self) -> None:
        self._logged_in_at = None
        self._brokerage = Brokerage.LAPSED
        self.memory = SessionMemory()

    def lose_brokerage(self, brokerage: Brokerage) -> None:
        """The brokerage session lapses or is taken, while the person stays logged in."""
        self._brokerage = brokerage
        self.memory = SessionMemory()

    def open_brokerage(self, *, compete: bool) -> None:
        """Open the brokerage session; one that is taken comes back only with `compete`."""
        if self._brokerage is Brokerage.LAPSED or (self._brokerage is Brokerage.TAKEN and compete):
            self._open()

    def use(self) -> None:
        """Note a call, which keeps the session from idling out."""
        self._used_at = self._clock()

    def _open(self) -> None:
        self._brokerage = Brokerage.OPEN
        self.memory = SessionMemory()

    def auth_status(self) -> dict[str, JsonValue]:
        """The document of `/iserver/auth/status`; some fields exist only in an open session."""
        status: dict[str, JsonValue] = {
            "authenticated": self.authenticated,
            "competing": self._brokerage is Brokerage.TAKEN,
            "connected": self._brokerage is not Brokerage.LAPSED,
            "MAC": "98:F2:B3:23:BF:A0",
        }
        if self.authenticated:
            status |= {
                "message": "",
                "serverInfo": {
                    "serverName": "JifN00000",
                    "serverVersion": "Build 10.25.0p paper gateway",
                },
                "fail": "",
            }
        return status

    def tickle(self) -> dict[str, JsonValue]:
        """The document of `/tickle`; `collission` is spelt as the gateway spells it."""
        return {
            "session": self._id,
            "ssoExpires": self._remaining_milliseconds(),
            "collission": False,
            "userId": USER_ID,
            "hmds": {"error": "no bridge"},
            "iserver": {"authStatus": self.auth_status()},
        }

    def validation(self) -> dict[str, JsonValue]:
        """The document of `/sso/validate`."""
        return {
            "USER_ID": USER_ID,
            "USER_NAME": USER_NAME,
            "RESULT": True,
            "AUTH_TIME": milliseconds(self._logged_in_at or 0.0),
            "SF_ENABLED": False,
            "IS_FREE_TRIAL": False,
            "CREDENTIAL": USER_NAME,
            "IP": "127.0.0.1",
            "EXPIRES": self._remaining_milliseconds(),
            "QUALIFIED_FOR_MOBILE_AUTH": None,
            "LANDING_APP": "PORTAL",
            "IS_MASTER": False,
            "lastAccessed": milliseconds(self._used_at),
            "LOGIN_TYPE": 2,
            "PAPER_USER_NAME": USER_NAME,
        }

    def session_id(self) -> str:
        return self._id

    def _remaining_milliseconds(self) -> int:
        now = self._clock()
        began = self._logged_in_at if self._logged_in_at is not None else now
        return milliseconds(min(self._used_at + IDLE_LIMIT, began + AGE_LIMIT) - now)
