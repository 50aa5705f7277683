"""The port of the approval page: opened as soon as a guard asks for approval."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.exposes.endpoints import EndpointApplication
from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.problems import Consequence, Place, Problem
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.handles import Handle, HandleError, remove_handle, write_handle
from naftiko_runtime.serving.listener import Listener
from naftiko_runtime.serving.logs import log_private
from naftiko_runtime.serving.report import Reporter
from naftiko_runtime.serving.sharing import is_loopback
from naftiko_runtime.serving.sockets import PortUnavailable, open_socket
from naftiko_runtime.settings.model import ApprovalPage, RuntimeSettings

if TYPE_CHECKING:
    from naftiko_runtime.exposes.approvals.decisions import Decisions
    from naftiko_runtime.exposes.approvals.login import Login

_AT_ONCE: Final = 0.5
"""Seconds for answers that are on their way when the page is closed."""


def wants_page(settings: RuntimeSettings) -> bool:
    """Whether somebody may have to approve, or the operator has asked for the page."""
    asks = any(rule.approve is not None for rule in settings.guards)
    return asks or settings.approvals != ApprovalPage()


class ApprovalPort:
    """A SettingsListener; ends with `stop`. `decisions` gives what the page shows, once there are
    guards. `takes_any_port`: where the port is taken, another one will do, as many desktop clients
    start a process each. `moved` maps a port to the one to open instead. A port that is `idle`
    opens nothing: a twin of its process has the page.
    """

    def __init__(
        self,
        reporter: Reporter,
        key: Secret,
        decisions: Callable[[], Decisions],
        *,
        moved: Mapping[int, int] = MappingProxyType({}),
        takes_any_port: bool = False,
        idle: bool = False,
    ) -> None:
        self._reporter = reporter
        self._key = key.reveal().encode()
        self._remote_key = secrets.token_urlsafe(32)
        self._decisions = decisions
        self._moved = moved
        self._takes_any_port = takes_any_port
        self._idle = idle
        self._listener: Listener | None = None
        self._login: Login | None = None
        self._asked: ApprovalPage | None = None
        self._handle: Path | None = None
        self.page = ApprovalPage()
        """Where the page is, with the port that is really open."""

    async def adopt(self, collection: Collection) -> list[Problem]:
        settings = collection.settings
        wanted = settings.approvals if wants_page(settings) else None
        if self._idle:
            page = settings.approvals
            self.page = replace(page, port=self._moved.get(page.port, page.port))
            return []
        if wanted == self._asked:
            return []
        await self._close()
        if wanted is None:
            return []
        try:
            listener = self._open(wanted)
        except PortUnavailable as error:
            self.page = wanted
            return [_unavailable(settings, wanted, error)]
        self.page = replace(wanted, port=listener.port)
        self._asked, self._listener = wanted, listener
        self._login = self._serve(listener, self.page, wanted.password)
        await listener.accept()
        self._announce()
        self._warn(self.page)
        self._write_handle(collection)
        return []

    async def stop(self) -> None:
        await self._close()

    def _open(self, page: ApprovalPage) -> Listener:
        try:
            port = self._moved.get(page.port, page.port)
            return Listener(open_socket(page.address, port, page.port))
        except PortUnavailable:
            if not self._takes_any_port:
                raise
            return Listener(open_socket(page.address, 0, page.port))

    def _serve(self, listener: Listener, page: ApprovalPage, password: Secret | None) -> Login:
        # Most processes have no page, and start sooner without it.
        from naftiko_runtime.exposes.approvals.login import Login
        from naftiko_runtime.exposes.approvals.remote import Remote
        from naftiko_runtime.exposes.approvals.site import ApprovalSite

        login = Login(self._key, password, self._renewed)
        public = urlsplit(page.url or "")
        names = (public.hostname,) if public.hostname else ()
        site = ApprovalSite(
            self._decisions,
            login,
            Remote(self._decisions, self._remote_key),
            is_secure=public.scheme == "https",
        )
        hosts = HostPolicy.for_address(page.address, names)
        listener.application.beside = {b"": EndpointApplication(site, hosts, Gatekeeper())}
        return login

    async def _close(self) -> None:
        if self._handle is not None:
            remove_handle(self._handle)
        listener, self._listener = self._listener, None
        self._handle = self._login = self._asked = None
        if listener is not None:
            await listener.stop(_AT_ONCE, asyncio.Event())
            message = f"closed the approval page at {self.page.base}"
            self._reporter.say(logging.INFO, "approvals-closed", message, url=self.page.base)

    def _announce(self) -> None:
        assert self._login is not None
        link = f"{self.page.base}/"
        if not self._login.has_password:
            link += f"?token={self._login.token}"
        log_private(logging.INFO, "approvals", f"approvals at {link}", url=link)

    def _warn(self, page: ApprovalPage) -> None:
        """Passwords and requests are readable on the way to a page in plain HTTP."""
        if is_loopback(page.address) or (page.url or "").startswith("https:"):
            return
        message = (
            f"the approval page at {page.address} can be reached from other machines without TLS - "
            'put a proxy in front of it, and give its https address as "url" under "approvals"'
        )
        self._reporter.say(logging.WARNING, "approvals-open", message)

    def _renewed(self, token: str) -> None:
        link = f"{self.page.base}/?token={token}"
        message = f"somebody has opened the approval page; for another browser: {link}"
        log_private(logging.INFO, "approvals", message, url=link)

    def _write_handle(self, collection: Collection) -> None:
        local = replace(self.page, url=None)
        paths = tuple(str(path) for path in collection.files)
        try:
            self._handle = write_handle(Handle(os.getpid(), local.base, self._remote_key, paths))
        except HandleError as error:
            message = f'"naftiko approve" will not find this process: {error}'
            self._reporter.say(logging.WARNING, "handle", message)


def _unavailable(settings: RuntimeSettings, page: ApprovalPage, error: PortUnavailable) -> Problem:
    message = f"{error.reason}, so that nobody can approve anything"
    remedy = f'stop what has port {page.port}, or set another "port" under "approvals"'
    place = Place(str(settings.file or ""))
    return Problem("port-unavailable", place, (), message, remedy, consequence=Consequence.PART)
