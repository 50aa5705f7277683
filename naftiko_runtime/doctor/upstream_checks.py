"""Looks at one upstream: from its name to the pace of its calls."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from naftiko_runtime.consumes.addresses import Address, split_url
from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.consumes.trust import Certificate
from naftiko_runtime.doctor.findings import Finding, Verdict
from naftiko_runtime.doctor.network import NotReachable, connect, resolve, shown_certificate
from naftiko_runtime.doctor.subjects import Subject
from naftiko_runtime.engine.session_check import SessionState, check_session
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.settings.model import Pacing

_CLOCK_SECONDS: Final = 30.0
"""More of a difference makes signatures and tokens fail that carry a time."""

_SOON_DAYS: Final = 14


async def check_upstream(
    subject: Subject, upstreams: HttpUpstreams, seconds: float
) -> list[Finding]:
    """What all checks of one upstream found, which together take at most so many seconds: a step
    that the time is over for has failed, and those that need it are left out."""
    examination = _Examination(subject, upstreams)
    try:
        async with asyncio.timeout(seconds):
            await examination.run()
    except TimeoutError:
        what = f"no answer within {seconds:g} s - check that the service is not overloaded or stuck"
        examination.say(Verdict.FAIL, what)
    except NotReachable as error:
        examination.say(Verdict.FAIL, str(error))
    return [*examination.findings, *_paces(subject)]


@dataclass(slots=True)
class _Examination:
    """The checks of one upstream in their order. `check` is the one that is being made."""

    subject: Subject
    upstreams: HttpUpstreams
    check: str = "name"
    findings: list[Finding] = field(default_factory=list)

    def say(self, verdict: Verdict, message: str) -> None:
        self.findings.append(Finding(self.subject.origin, self.check, verdict, message))

    async def run(self) -> None:
        address, _ = split_url(f"{self.subject.origin}/")
        found = await resolve(address.host, address.port)
        self.say(Verdict.PASS, f'"{address.host}" is {", ".join(found)}')
        self.check = "tcp"
        peer = await connect(address.host, address.port)
        self.say(Verdict.PASS, f"port {address.port} of {peer} takes connections")
        certificate = None
        if address.scheme == "https":
            self.check = "tls"
            certificate = await shown_certificate(address.host, address.port)
        else:
            self.check = "http"
        answer = await self._answer(address, certificate)
        if answer is not None:
            self._look_at(answer)
            await self._look_at_session()

    async def _answer(
        self, address: Address, certificate: Certificate | None
    ) -> UpstreamResponse | None:
        """The answer to a request that every HTTP server knows, sent as calls are."""
        request = UpstreamRequest(
            self.subject.namespaces[0], "doctor", "GET", f"{address.origin}/", ()
        )
        try:
            answer = await self.upstreams.send_as_is(request)
        except CallFailed as failed:
            self._say_failure(failed.failure, certificate)
            return None
        if address.scheme == "https":
            self._say_trusted(certificate)
        return answer

    def _say_failure(self, failure: Failure, certificate: Certificate | None) -> None:
        secured = self.check == "tls"
        if secured and failure.executed:
            self._say_trusted(certificate)
        if failure.executed or not secured:
            self.check = "http"
        message = failure.detail.partition(": ")[2] or failure.detail
        if failure.kind is FailureKind.UPSTREAM_BROKEN:
            message += " - check that it speaks HTTP there, and its log"
        self.say(Verdict.FAIL, message)

    def _say_trusted(self, certificate: Certificate | None) -> None:
        if certificate is None:
            self.say(Verdict.PASS, "its certificate is trusted")
            return
        days = (certificate.not_after - datetime.now(UTC)).days
        ends = f"{certificate.not_after:%Y-%m-%d}"
        if days >= _SOON_DAYS:
            self.say(Verdict.PASS, f"its certificate is trusted, and valid until {ends}")
        elif days >= 0:
            self.say(Verdict.NOTE, f"its certificate is trusted, but ends on {ends} - renew it")
        else:
            self.say(Verdict.PASS, f"its certificate is accepted as it is, though it ended {ends}")

    def _look_at(self, answer: UpstreamResponse) -> None:
        self.check = "http"
        if answer.status >= 500:
            self.say(Verdict.FAIL, f"it answers {answer.status} - look at its log")
        else:
            self.say(Verdict.PASS, f"it answers ({answer.status})")
        self.check = "clock"
        self.say(*_clock(answer.header("date"), datetime.now(UTC)))

    async def _look_at_session(self) -> None:
        subject = self.subject
        if not subject.needs_session:
            return
        self.check = "session"
        if subject.check is None:
            self.say(
                Verdict.NOTE, "no operation without inputs shows whether somebody is logged in"
            )
            return
        shown = await check_session(subject.check, self.upstreams)
        if shown.state is SessionState.OPEN:
            self.say(Verdict.PASS, f'logged in ("{subject.check.name}" is answered)')
        elif shown.state is SessionState.LOST:
            where = subject.login or subject.origin
            self.say(Verdict.FAIL, f"not logged in - log in at {where}")
        else:
            self.say(Verdict.FAIL, f"nobody knows: {shown.detail}")


def _clock(date: str | None, now: datetime) -> tuple[Verdict, str]:
    """Compares a server's time (RFC 9110, section 6.6.1) with this machine's."""
    try:
        theirs = parsedate_to_datetime(date or "")
    except ValueError:
        return Verdict.NOTE, "its answer does not say what time it is there"
    if theirs.tzinfo is None:
        theirs = theirs.replace(tzinfo=UTC)
    seconds = (now - theirs).total_seconds()
    if abs(seconds) <= _CLOCK_SECONDS:
        return Verdict.PASS, "its clock and this machine's agree"
    way = "ahead of" if seconds > 0 else "behind"
    return Verdict.FAIL, f"this machine's clock is {abs(seconds):.0f} s {way} its - set the clock"


def _paces(subject: Subject) -> Iterator[Finding]:
    """The pace of each namespace, those with the same one together."""
    by_pace: dict[str, list[str]] = {}
    for namespace, rule in zip(subject.namespaces, subject.rules, strict=True):
        said = [] if rule.pacing is None else [_written(rule.pacing)]
        said += [f"{name}: {_written(pacing)}" for name, pacing in rule.operations.items()]
        what = "; ".join(said) or "none, calls go out as they come"
        by_pace.setdefault(what, []).append(namespace)
    for what, namespaces in by_pace.items():
        message = f"{what} ({', '.join(namespaces)})"
        yield Finding(subject.origin, "pacing", Verdict.PASS, message)


def _written(pacing: Pacing) -> str:
    """`10 a second`, or `one in 5 s` where that is slower."""
    pace = f"{pacing.rate:g} a second" if pacing.rate >= 1 else f"one in {1 / pacing.rate:g} s"
    return f"{pace}, {pacing.burst} at once"
