"""The one client with which a process calls all upstreams."""

from __future__ import annotations

from naftiko_runtime.consumes.client import HttpUpstreams
from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.serving.settings import UpstreamChoices


def open_upstreams(choices: UpstreamChoices) -> HttpUpstreams:
    """A client that trusts what the choices say; whoever opens it closes it (`aclose`). Raises
    TrustError for a CA file that is not usable."""
    settings = UpstreamSettings(ca_files=choices.ca_files, insecure=choices.insecure)
    return HttpUpstreams(settings)
