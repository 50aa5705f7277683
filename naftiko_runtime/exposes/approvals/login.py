"""Who may approve: a password or a link that works once, then a signed cookie.

Nothing is kept of a session but its end, so that a process that was restarted for its parent goes
on with the sessions of the one before.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.exposes.authentication.attempts import Attempts
from naftiko_runtime.exposes.authentication.sealed import Sealed

SESSION_SECONDS: Final = 12 * 3600

_ISSUED: Final = struct.Struct(">d")
_RANDOM: Final = 16
_SIGNATURE: Final = 32
_SIZE: Final = _ISSUED.size + _RANDOM + _SIGNATURE
_MOST_ENDED: Final = 1024


class TooManyTries(Exception):
    """Wrong passwords have been tried one after the other; `seconds` says when to come back."""

    def __init__(self, seconds: float) -> None:
        super().__init__("too many wrong passwords")
        self.seconds = seconds


class Login:
    """Owned by the page of one process. `key` signs sessions; without a `password` the `token` is
    asked for, which works once: `renewed` is called with the next one."""

    def __init__(
        self,
        key: bytes,
        password: Secret | None,
        renewed: Callable[[str], None] = lambda token: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.has_password = password is not None
        self.token = "" if password is not None else secrets.token_urlsafe(24)
        self._renewed = renewed
        self._clock = clock
        self._password = None if password is None else Sealed(password.reveal())
        shared = b"" if password is None else password.reveal().encode()
        # A session ends with the password that it was opened with
        self._key = hmac.digest(key, b"naftiko approvals\n" + shared, "sha256")
        self._attempts = Attempts()
        self._ended: OrderedDict[str, None] = OrderedDict()

    def open(self, peer: str, given: str) -> str | None:
        """A new session for the right password or token, None for a wrong one. Raises
        TooManyTries, also for the right password; nobody guesses a token, so that whoever tries
        must not keep the one out who has it."""
        tried = given.encode("utf-8", "surrogatepass")
        is_token = not self.has_password and self._is_right(tried)
        wait = 0.0 if is_token else self._attempts.seconds_to_wait(peer, tried)
        if wait:
            raise TooManyTries(wait)
        if not is_token and not self._is_right(tried):
            self._attempts.failed(peer, tried, tried)
            return None
        if self.has_password:
            self._attempts.passed(tried)
        else:
            self.token = secrets.token_urlsafe(24)
            self._renewed(self.token)
        content = _ISSUED.pack(self._clock()) + secrets.token_bytes(_RANDOM)
        return base64.urlsafe_b64encode(content + self._sign(b"session", content)).decode("ascii")

    def is_open(self, session: str) -> bool:
        """Whether this is a session that we opened, and has not ended."""
        if session in self._ended:
            return False
        try:
            raw = base64.b64decode(session.encode("ascii"), b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError):
            return False
        if len(raw) != _SIZE or base64.urlsafe_b64encode(raw).decode("ascii") != session:
            return False
        content, signature = raw[:-_SIGNATURE], raw[-_SIGNATURE:]
        if not hmac.compare_digest(signature, self._sign(b"session", content)):
            return False
        issued: float = _ISSUED.unpack(content[: _ISSUED.size])[0]
        return issued <= self._clock() < issued + SESSION_SECONDS

    def close(self, session: str) -> None:
        """Ends a session that is open."""
        self._ended[session] = None
        if len(self._ended) > _MOST_ENDED:
            self._ended.popitem(last=False)

    def form_token(self, session: str) -> str:
        """What each form of a session carries, so that no other page can send it."""
        return self._sign(b"form", session.encode()).hex()

    def is_form_token(self, session: str, given: str) -> bool:
        expected = self.form_token(session).encode()
        return hmac.compare_digest(expected, given.encode("utf-8", "surrogatepass"))

    def _is_right(self, tried: bytes) -> bool:
        if self._password is not None:
            return self._password.is_(tried)
        return Sealed(self.token).is_(tried)

    def _sign(self, purpose: bytes, content: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\n" + content, "sha256")
