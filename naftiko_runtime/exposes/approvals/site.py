"""The approval page: what answers which path, to whom."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import parse_qs

from naftiko_runtime.exposes.approvals.decisions import Decisions
from naftiko_runtime.exposes.approvals.login import SESSION_SECONDS, Login, TooManyTries
from naftiko_runtime.exposes.approvals.pages import (
    Reader,
    call_page,
    confirm_page,
    list_page,
    login_page,
    message_page,
    policy,
)
from naftiko_runtime.exposes.approvals.remote import Remote
from naftiko_runtime.exposes.authentication import OPEN, Door
from naftiko_runtime.exposes.endpoints import Handler, Request
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.exposes.rest.request_body import read_body
from naftiko_runtime.failures import CallFailed, FailureKind, fail
from naftiko_runtime.guards.approval import Decision
from naftiko_runtime.state.store import StateUnavailable

COOKIE: Final = "naftiko_approvals"

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_LARGEST_FORM: Final = 16 * 1024
_REFRESH: Final = (b"refresh", b"5")
_DECIDED: Final = {"approve": "approved", "refuse": "refused"}


_Page: TypeAlias = Callable[[Request, str], Awaitable[Reply]]
"""Answers somebody who has logged in, with the session."""


class ApprovalSite:
    """A Site over what `decisions` gives at each request. `remote` is for the operator's commands;
    `is_secure`: people come over https, through a proxy."""

    def __init__(
        self,
        decisions: Callable[[], Decisions],
        login: Login,
        remote: Remote | None = None,
        *,
        is_secure: bool = False,
    ) -> None:
        self._remote = remote
        self._decisions = decisions
        self._login = login
        self._is_secure = is_secure

    @property
    def door(self) -> Door:
        """Open: the page has a login of its own."""
        return OPEN

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        match segments:
            case ("",):
                return {"GET": self._guarded(self._list)}
            case ("login",):
                return {"POST": self._log_in}
            case ("logout",):
                return {"POST": self._guarded(self._log_out)}
            case ("halt",):
                return {"POST": self._guarded(self._halt)}
            case ("approvals", id_) if _ID.fullmatch(id_):
                return {"GET": self._guarded(self._show), "POST": self._guarded(self._decide)}
            case ("approvals", id_, "approve") if _ID.fullmatch(id_):
                return {"GET": self._guarded(self._confirm)}
        return None if self._remote is None else self._remote.find(segments)

    def unknown(self, path: str) -> str:
        return f'there is nothing at "{path}" - calls that wait for approval are listed at "/"'

    def _guarded(self, page: _Page) -> Handler:
        async def answer(request: Request) -> Reply:
            query = _fields(request.query)
            session = self._session(request)
            if session is None and request.method == "GET" and "token" in query:
                return self._enter(request, query["token"], _call_of(request))
            if session is None:
                return self._ask(_call_of(request))
            try:
                return await page(request, session)
            except StateUnavailable as error:
                return _html(message_page("Out of reach", f"The shared state: {error}"), 503)

        return answer

    # Login

    async def _log_in(self, request: Request) -> Reply:
        fields = await _form(request)
        call = fields.get("call", "")
        given = fields.get("secret", "").strip()
        return self._enter(request, given, call if _ID.fullmatch(call) else None)

    def _enter(self, request: Request, given: str, call: str | None) -> Reply:
        try:
            session = self._login.open(request.caller.peer, given)
        except TooManyTries as error:
            seconds = round(error.seconds) + 1
            complaint = f"Too many wrong tries. Try again in {seconds} s."
            return self._ask(call, complaint, 429, (b"retry-after", b"%d" % seconds))
        if session is None:
            return self._ask(call, "That is not right.", 403)
        return _see("/" if call is None else f"/approvals/{call}", self._cookie(session))

    def _ask(
        self, call: str | None, complaint: str = "", status: int = 401, *more: tuple[bytes, bytes]
    ) -> Reply:
        page = login_page(has_password=self._login.has_password, call=call, complaint=complaint)
        return _html(page, status, *more)

    async def _log_out(self, request: Request, session: str) -> Reply:
        await self._own_form(request, session)
        self._login.close(session)
        return _see("/", self._cookie("", 0))

    def _session(self, request: Request) -> str | None:
        for value in request.caller.values(b"cookie"):
            for pair in value.decode("latin-1").split(";"):
                name, _, session = pair.strip().partition("=")
                if name == COOKIE and self._login.is_open(session):
                    return session
        return None

    def _cookie(self, session: str, seconds: int = SESSION_SECONDS) -> tuple[bytes, bytes]:
        secure = "; Secure" if self._is_secure else ""
        text = f"{COOKIE}={session}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        return b"set-cookie", text.encode()

    async def _own_form(self, request: Request, session: str) -> Mapping[str, str]:
        """The fields of a form that this session was given. Raises CallFailed for another one."""
        fields = await _form(request)
        if not self._login.is_form_token(session, fields.get("form_token", "")):
            raise _not_ours()
        return fields

    # Pages

    async def _reader(self, session: str) -> Reader:
        token = self._login.form_token(session)
        return Reader(token, await self._decisions().now(), await self._decisions().is_halted())

    async def _list(self, request: Request, session: str) -> Reply:
        reader = await self._reader(session)
        return _html(list_page(reader, await self._decisions().pending()), 200, _REFRESH)

    async def _show(self, request: Request, session: str) -> Reply:
        noted = _fields(request.query).get("noted", "")
        reader = await self._reader(session)
        call = await self._decisions().get(request.segments[1])
        return _html(call_page(reader, call, noted), 404 if call is None and not noted else 200)

    async def _confirm(self, request: Request, session: str) -> Reply:
        reader = await self._reader(session)
        call = await self._decisions().get(request.segments[1])
        if call is None or call.decision is not Decision.OPEN:
            return _html(call_page(reader, call), 404 if call is None else 200)
        return _html(confirm_page(reader, call))

    async def _decide(self, request: Request, session: str) -> Reply:
        fields = await self._own_form(request, session)
        decision, id_ = fields.get("decision", ""), request.segments[1]
        if decision not in _DECIDED:
            raise fail(FailureKind.INVALID_INPUT, "the decision is neither approve nor refuse")
        noted = await self._decisions().decide(id_, decision == "approve", "approval page")
        return _see(f"/approvals/{id_}" + (f"?noted={_DECIDED[decision]}" if noted else ""))

    async def _halt(self, request: Request, session: str) -> Reply:
        fields = await self._own_form(request, session)
        if fields.get("action") not in ("halt", "lift"):
            raise fail(FailureKind.INVALID_INPUT, "the action is neither halt nor lift")
        try:
            await self._decisions().halt(fields["action"] == "halt", "approval page")
        except OSError as error:
            text = f"The file that halts cannot be changed: {error.strerror}."
            return _html(message_page("Not done", text), 500)
        return _see("/")


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a sent form, each once."""
    headers = [pair for pair in request.headers if pair[0] != b"content-type"]
    body = await read_body(headers, request.receive, _LARGEST_FORM)
    return _fields(body or b"")


def _fields(encoded: bytes) -> Mapping[str, str]:
    try:
        found = parse_qs(encoded.decode("ascii"), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _call_of(request: Request) -> str | None:
    return request.segments[1] if request.segments[0] == "approvals" else None


def _see(path: str, *more: tuple[bytes, bytes]) -> Reply:
    """Sends a browser on, so that going back or reloading repeats nothing."""
    return _html("", 303, (b"location", path.encode()), *more)


def _html(text: str, status: int = 200, *more: tuple[bytes, bytes]) -> Reply:
    body = text.encode("utf-8", "replace")
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", policy().encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        # Without any, browsers would name no origin for our own forms
        (b"referrer-policy", b"same-origin"),
        (b"cross-origin-opener-policy", b"same-origin"),
        *more,
    ]
    return Reply(status, headers, body)


def _not_ours() -> CallFailed:
    detail = "the form is not one of this session - open the page again"
    return fail(FailureKind.FORBIDDEN_HOST, detail)
