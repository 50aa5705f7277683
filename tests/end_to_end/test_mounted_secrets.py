"""Secrets of a mounted folder that are rotated while they are used."""

from __future__ import annotations

from pathlib import Path

import httpx2

from tests.binds.test_mounted import mount
from tests.loaded_calls import one_call_text
from tests.recording_upstream import RecordingUpstream
from tests.serving_process import serve


def test_a_rotated_secret_is_used_from_then_on(tmp_path: Path, upstream: RecordingUpstream) -> None:
    secrets = tmp_path / "secrets"
    mount(secrets, "one", token="canary-one")
    served = tmp_path / "served"
    served.mkdir()
    (served / "call.yaml").write_text(
        one_call_text(
            base_uri=upstream.url,
            authentication={"type": "bearer", "token": "{{TOKEN}}"},
            binds=[
                {"namespace": "s", "location": f"file://{secrets}/", "keys": {"TOKEN": "token"}}
            ],
        )
    )
    with serve(served) as serving:
        httpx2.get(serving.rest() + "/run", timeout=60).raise_for_status()
        mount(secrets, "two", token="canary-two")
        serving.wait_for_event("changed")
        httpx2.get(serving.rest() + "/run", timeout=60).raise_for_status()
    sent = [request.header("authorization") for request in upstream.requests]
    assert sent == ["Bearer canary-one", "Bearer canary-two"]
    assert "canary" not in serving.log
