"""A double of HashiCorp Vault: the part of its HTTP API that reads key-value secrets.

with VaultDouble() as vault:
    vault.put("secret", "trading/broker", {"token": "abc"})
    ...
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.recording_upstream import RecordedRequest, RecordingUpstream, Reply, reply_json

TOKEN = "hvs.canary-7f3a"


@dataclass
class VaultDouble:
    """`mounts` maps a mount to the version of its engine. `tells` is whether it says so to the
    token; a real one does where the token may read something below the mount."""

    tls: ssl.SSLContext | None = None
    mounts: dict[str, str] = field(default_factory=lambda: {"secret": "2", "kv": "1"})
    tells: bool = True
    namespace: str = ""
    reply: Reply | None = None
    secrets: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.upstream = RecordingUpstream(tls=self.tls)
        self.upstream.answers(self._answer)

    @property
    def url(self) -> str:
        return self.upstream.url

    @property
    def targets(self) -> list[str]:
        """What it was asked for, without the questions about mounts."""
        return [
            request.target
            for request in self.upstream.requests
            if not request.target.startswith("/v1/sys/")
        ]

    def put(self, mount: str, path: str, value: object) -> None:
        """Stores a secret where its engine has it, percent-encoded as a URL has it."""
        is_second = self.mounts[mount] == "2"
        document = {"data": {"data": value, "metadata": {"version": 1}} if is_second else value}
        self.secrets[f"/v1/{mount}/{'data/' if is_second else ''}{path}"] = document

    def _answer(self, request: RecordedRequest) -> Reply:
        if self.reply is not None:
            return self.reply
        if (
            request.header("x-vault-token") != TOKEN
            or request.header("x-vault-request") != "true"
            or (request.header("x-vault-namespace") or "") != self.namespace
        ):
            return reply_json({"errors": ["permission denied"]}, 403)
        asked = "/v1/sys/internal/ui/mounts/"
        if request.target.startswith(asked):
            return self._mount(request.target.removeprefix(asked))
        if request.target in self.secrets:
            return reply_json({"request_id": "1", "lease_id": ""} | self.secrets[request.target])
        return reply_json({"errors": []}, 404)

    def _mount(self, path: str) -> Reply:
        for mount, version in self.mounts.items():
            if self.tells and path.startswith(f"{mount}/"):
                kind = "kv" if version else "transit"
                options = {"version": version} if version == "2" else None
                data = {"path": f"{mount}/", "type": kind, "options": options}
                return reply_json({"data": data})
        return reply_json({"errors": ["preflight capability check returned 403"]}, 403)

    def __enter__(self) -> Self:
        self.upstream.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.upstream.__exit__(kind, error, trace)
