"""Keeps sessions with upstreams open by calling an operation again and again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Final

from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.engine.session_check import SessionCheck, SessionState, check_session
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import OperationPlan
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.kept_sessions import KeptSession, SessionKey, kept_sessions
from naftiko_runtime.serving.logs import LOGGER, log_event

_SLOWEST: Final = 4
"""A session that is lost is asked for at most so many times more seldom than one that is open: the
person who logs in again expects it to stay open from then on."""

_NEVER: Final = SessionCheck(SessionState.UNKNOWN)

_EVENTS: Final = {
    SessionState.LOST: (logging.WARNING, "session-lost", "the session is lost"),
    SessionState.FAILING: (logging.WARNING, "session-failing", "the session cannot be kept open"),
    SessionState.OPEN: (logging.INFO, "session-back", "the session is open again"),
}


@dataclass(slots=True)
class _Session:
    """One session and what is known of it. `task` ends with the process, or with the settings
    that asked for it."""

    origin: str
    plan: OperationPlan
    every: float
    check: SessionCheck = _NEVER
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    last: datetime | None = None
    in_vain: int = 0
    task: asyncio.Task[None] | None = None

    def note(self, check: SessionCheck) -> None:
        """Takes note of a call; says so when something has changed."""
        before, self.check = self.check, check
        self.last = datetime.now(UTC)
        self.in_vain = 0 if check.state is SessionState.OPEN else self.in_vain + 1
        if check.state is before.state:
            return
        self.since = self.last
        if before.state is SessionState.UNKNOWN and check.state is SessionState.OPEN:
            return
        level, event, what = _EVENTS[check.state]
        reason = f": {check.detail}" if check.detail else ""
        message = f"{what} at {self.origin}{reason}"
        log_event(level, event, message, upstream=self.origin, call=self.plan.name)


def pause_after(every: float, in_vain: int) -> float:
    """Seconds until the next call, after so many in a row that found no open session."""
    doubled: int = 1 << min(max(0, in_vain - 1), 8)
    return every * min(doubled, _SLOWEST)


class KeepAlive:
    """Implements SettingsListener. Owns one task for each session that the settings have kept
    open; ends with `aclose`. An idle one leaves it to another process."""

    def __init__(self, upstreams: Upstreams, *, idle: bool = False) -> None:
        self._upstreams = upstreams
        self._idle = idle
        self._sessions: dict[SessionKey, _Session] = {}

    async def adopt(self, collection: Collection) -> list[Problem]:
        """Keeps the sessions open that the settings name from now on, and no others."""
        if self._idle:
            return []
        wanted = kept_sessions(collection.plans, collection.settings)
        for key in [key for key in self._sessions if key not in wanted]:
            await _end(self._sessions.pop(key))
        for key, kept in wanted.items():
            self._keep(key, kept)
        return []

    def _keep(self, key: SessionKey, kept: KeptSession) -> None:
        session = self._sessions.get(key)
        if session is None:
            session = self._sessions[key] = _Session(kept.origin, kept.plan, kept.every)
            session.task = asyncio.create_task(self._follow(session))
        session.plan = kept.plan
        if session.every > kept.every and session.task is not None:
            session.task.cancel()
            session.task = asyncio.create_task(self._follow(session))
        session.every = kept.every

    async def _follow(self, session: _Session) -> None:
        while True:
            try:
                session.note(await check_session(session.plan, self._upstreams))
            except Exception:
                LOGGER.exception("a call to keep a session open went wrong; it is made again")
                session.in_vain += 1
            await asyncio.sleep(pause_after(session.every, session.in_vain))

    def describe(self) -> Sequence[JsonValue]:
        """All sessions for the status of the process, in the order of their names."""
        return [_describe(session) for _, session in sorted(self._sessions.items())]

    async def aclose(self) -> None:
        for session in self._sessions.values():
            await _end(session)
        self._sessions.clear()


async def _end(session: _Session) -> None:
    if session.task is not None:
        session.task.cancel()
        await asyncio.wait([session.task])


def _describe(session: _Session) -> JsonValue:
    return {
        "upstream": session.origin,
        "call": session.plan.name,
        "everySeconds": session.every,
        "state": session.check.state.value,
        "since": _written(session.since),
        "lastCall": None if session.last is None else _written(session.last),
        "detail": session.check.detail or None,
    }


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
