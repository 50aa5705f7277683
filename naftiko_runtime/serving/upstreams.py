"""The clients with which a process calls upstreams."""

from __future__ import annotations

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pacing.sharing import share_of
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.consumes.streaming import HttpStreams
from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.collection import Collection
from naftiko_runtime.serving.settings import UpstreamChoices

_ISSUER_SECONDS = 5.0
_ISSUER_BYTES = 512 * 1024
_ISSUER_CONNECTIONS = 8
"""Bounds of what is asked of issuers of tokens: callers wait for it, and it is small."""


class UpstreamSettingsListener:
    """Has the clients of a process call upstreams as the operator's settings say; it is one of so
    many `processes` that keep the paces together."""

    def __init__(self, *clients: HttpUpstreams | HttpStreams, processes: int = 1) -> None:
        self._clients = clients
        self._processes = processes

    async def adopt(self, collection: Collection) -> list[Problem]:
        settings = share_of(collection.settings, self._processes)
        for client in self._clients:
            client.adopt(settings)
        return []


def open_upstreams(choices: UpstreamChoices) -> HttpUpstreams:
    """A client that trusts what the choices say; whoever opens it closes it (`aclose`). Raises
    TrustError for a CA file that is not usable."""
    return HttpUpstreams(_settings(choices))


def open_streams(choices: UpstreamChoices, upstreams: HttpUpstreams) -> HttpStreams:
    """A client for what is forwarded, which logs in with the other one and keeps to one pace with
    it. As `open_upstreams`."""
    return HttpStreams(_settings(choices), upstreams.send_as_is, upstreams.traffic)


def _settings(choices: UpstreamChoices) -> UpstreamSettings:
    return UpstreamSettings(ca_files=choices.ca_files, insecure=choices.insecure)


def open_issuers(choices: UpstreamChoices) -> HttpUpstreams:
    """A client for the authorization servers that vouch for callers, apart from the one for
    upstreams so that neither has to wait for the other's connections. As `open_upstreams`."""
    settings = UpstreamSettings(
        connect_timeout=_ISSUER_SECONDS,
        timeout=_ISSUER_SECONDS,
        max_response_bytes=_ISSUER_BYTES,
        pool=_ISSUER_CONNECTIONS,
        ca_files=choices.ca_files,
    )
    return HttpUpstreams(settings)
