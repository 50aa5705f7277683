"""What `naftiko doctor` finds, over real sockets."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.server import RunningGateway, running_gateway
from naftiko_runtime.consumes.trust import TrustStore
from naftiko_runtime.doctor.examination import examine
from naftiko_runtime.doctor.findings import Finding, Verdict
from naftiko_runtime.serving.collection import load_collection
from naftiko_runtime.serving.settings import SourceSettings, UpstreamChoices
from tests.capability_text import capability
from tests.consumes.certificates import DAY, Identity, make_identity
from tests.recording_upstream import RecordingUpstream, Reply
from tests.serving_process import run_naftiko

GATEWAY = """\
naftiko: 1.0.0-alpha2
info: {label: Gateway, description: A gateway with sessions.}
capability:
  consumes:
    - type: http
      namespace: web
      baseUri: BASE
      description: The gateway.
      resources:
        - {name: tickle, path: /tickle, operations: [{name: tickle, method: POST}]}
        - {name: accounts, path: /iserver/accounts, operations: [{name: accounts, method: GET}]}
        - {name: one, path: "/one/{id}", operations: [{name: one, method: GET}]}
  exposes:
    - type: mcp
      namespace: tools
      port: 9090
      tools:
        - name: accounts
          description: Accounts.
          call: web.accounts
          outputParameters: [{type: object, mapping: "$."}]
"""


@pytest.fixture(autouse=True)
def own_trust_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAFTIKO_TRUST_DIR", str(tmp_path / "trust"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "files"
    made.mkdir()
    return made


@pytest.fixture
def upstream() -> Iterator[RecordingUpstream]:
    with RecordingUpstream() as opened:
        yield opened


def look(
    folder: Path, choices: UpstreamChoices | None = None, seconds: float = 5.0
) -> list[Finding]:
    collection = load_collection(SourceSettings((folder,)))
    return asyncio.run(examine(collection, choices or UpstreamChoices(), seconds))


def look_at(folder: Path, base_uri: str, **options: object) -> Mapping[str, Finding]:
    """The findings about one upstream, by what was checked."""
    (folder / "orders.yaml").write_text(capability("orders", base_uri))
    return {finding.check: finding for finding in look(folder, **options)}  # type: ignore[arg-type]


def verdicts(findings: Mapping[str, Finding]) -> dict[str, str]:
    return {check: finding.verdict.value for check, finding in findings.items()}


def identified(folder: Path, identity: Identity) -> RecordingUpstream:
    return RecordingUpstream(tls=identity.server_context(folder))


def test_upstream_that_is_well_passes_all_checks(folder: Path, upstream: RecordingUpstream) -> None:
    found = look_at(folder, f"{upstream.url}/v1")
    assert verdicts(found) == dict.fromkeys(("name", "tcp", "http", "clock", "pacing"), "pass")
    assert {finding.subject for finding in found.values()} == {upstream.url}
    assert "calls go out as they come" in found["pacing"].message


def test_nothing_listens(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        found = look_at(folder, f"http://127.0.0.1:{port}")
    assert verdicts(found) == {"name": "pass", "tcp": "fail", "pacing": "pass"}
    assert "connection refused" in found["tcp"].message
    assert f"listens on port {port}" in found["tcp"].message


def test_name_is_not_known(folder: Path) -> None:
    found = look_at(folder, "https://no-such-host.invalid")
    assert verdicts(found) == {"name": "fail", "pacing": "pass"}
    assert '"no-such-host.invalid" is not known' in found["name"].message


@pytest.mark.parametrize(
    ("identity", "reason"),
    [
        (make_identity(), "self-signed certificate"),
        (make_identity("elsewhere.example"), "self-signed certificate"),
        (make_identity(begins=-2 * DAY, ends=-DAY), "certificate"),
    ],
    ids=["unknown", "unknown and of another name", "expired"],
)
def test_certificate_is_not_trusted(folder: Path, identity: Identity, reason: str) -> None:
    with identified(folder, identity) as upstream:
        found = look_at(folder, upstream.url)
    assert verdicts(found) == {"name": "pass", "tcp": "pass", "tls": "fail", "pacing": "pass"}
    assert reason in found["tls"].message
    assert f'"naftiko trust {upstream.url}"' in found["tls"].message


@pytest.mark.parametrize(
    ("of_host", "reason"),
    [
        ({"names": ("elsewhere.example",)}, "not valid for"),
        ({"names": (), "begins": -2 * DAY, "ends": -DAY}, "expired"),
    ],
    ids=["wrong name", "expired"],
)
def test_certificate_of_a_known_authority_is_not_good(
    folder: Path, tmp_path: Path, of_host: Mapping[str, object], reason: str
) -> None:
    authority = make_identity(authority=True, common_name="Authority")
    names = of_host["names"]
    assert isinstance(names, tuple)
    times = {key: value for key, value in of_host.items() if key != "names"}
    identity = make_identity(*names, issuer=authority, **times)  # type: ignore[arg-type]
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(authority.pem)
    with identified(folder, identity) as upstream:
        found = look_at(folder, upstream.url, choices=UpstreamChoices((ca_file,)))
    assert found["tls"].verdict is Verdict.FAIL
    assert reason in found["tls"].message


@pytest.mark.parametrize(("days", "verdict"), [(300, "pass"), (5, "note")])
def test_trusted_certificate_says_how_long_it_lasts(
    folder: Path, tmp_path: Path, days: int, verdict: str
) -> None:
    authority = make_identity(authority=True, common_name="Authority", ends=400 * DAY)
    identity = make_identity(issuer=authority, ends=days * DAY + DAY / 2)
    ca_file = tmp_path / "ca.pem"
    ca_file.write_text(authority.pem)
    with identified(folder, identity) as upstream:
        found = look_at(folder, upstream.url, choices=UpstreamChoices((ca_file,)))
    assert found["tls"].verdict.value == verdict
    assert f"{identity.certificate.not_valid_after_utc:%Y-%m-%d}" in found["tls"].message
    assert found["http"].verdict is Verdict.PASS


def test_server_that_speaks_no_tls(folder: Path, upstream: RecordingUpstream) -> None:
    found = look_at(folder, upstream.url.replace("http:", "https:"))
    assert found["tls"].verdict is Verdict.FAIL
    assert "write http:// in its baseUri" in found["tls"].message


def test_server_that_answers_with_an_error(folder: Path, upstream: RecordingUpstream) -> None:
    upstream.answers(Reply(503))
    found = look_at(folder, upstream.url)
    assert (found["http"].verdict, found["http"].message) == (
        Verdict.FAIL,
        "it answers 503 - look at its log",
    )


def test_server_that_closes_without_an_answer(folder: Path, upstream: RecordingUpstream) -> None:
    upstream.answers(Reply(raw=b""))
    found = look_at(folder, upstream.url)
    assert found["http"].verdict is Verdict.FAIL
    assert "check that it speaks HTTP there" in found["http"].message


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_server_that_hangs_is_left_after_the_time(folder: Path, scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}"
        found = look_at(folder, url, seconds=0.5)
    assert found["tcp"].verdict is Verdict.PASS
    stuck = found["http"] if scheme == "http" else found["tls"]
    assert stuck.verdict is Verdict.FAIL
    assert re.search(r"within 0\.[45] s", stuck.message)


def test_server_that_hangs_behind_a_good_certificate(folder: Path) -> None:
    identity = make_identity()
    with identified(folder, identity) as upstream:
        TrustStore.default().pin("127.0.0.1", upstream.port, identity.pem)
        held = threading.Event()
        upstream.answers(Reply(hold=held))
        found = look_at(folder, upstream.url, seconds=1.0)
        held.set()
    assert found["tls"].verdict is Verdict.PASS
    assert found["http"].verdict is Verdict.FAIL
    assert "no complete answer within" in found["http"].message


def test_upstreams_are_looked_at_side_by_side(folder: Path) -> None:
    silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(30)]
    for number, each in enumerate(silent):
        url = f"http://127.0.0.1:{each.getsockname()[1]}"
        (folder / f"{number}.yaml").write_text(capability(f"s{number}", url))
    try:
        findings = asyncio.run(asyncio.wait_for(_examined(folder, 0.5), 10))
    finally:
        for each in silent:
            each.close()
    assert sum(finding.verdict is Verdict.FAIL for finding in findings) == 30


async def _examined(folder: Path, seconds: float) -> list[Finding]:
    collection = await asyncio.to_thread(load_collection, SourceSettings((folder,)))
    return await examine(collection, UpstreamChoices(), seconds)


@pytest.mark.parametrize(("seconds", "said"), [(0, None), (3600, "behind"), (-3600, "ahead of")])
def test_clocks_are_compared(
    folder: Path, upstream: RecordingUpstream, seconds: int, said: str | None
) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
    raw = f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n"
    upstream.answers(Reply(raw=raw.encode()))
    clock = look_at(folder, upstream.url)["clock"]
    assert clock.verdict is (Verdict.PASS if said is None else Verdict.FAIL)
    if said is not None:
        assert f"s {said} its" in clock.message


@pytest.mark.parametrize("date", ["", "Date: yesterday\r\n"])
def test_clock_that_is_not_said_cannot_be_compared(
    folder: Path, upstream: RecordingUpstream, date: str
) -> None:
    raw = f"HTTP/1.1 200 OK\r\n{date}Content-Length: 0\r\n\r\n"
    upstream.answers(Reply(raw=raw.encode()))
    assert look_at(folder, upstream.url)["clock"].verdict is Verdict.NOTE


def test_pacing_in_force_is_shown(folder: Path, upstream: RecordingUpstream) -> None:
    (folder / "runtime.yaml").write_text(
        "upstreams:\n  orders:\n    pacing: {rate: 10/s, burst: 5}\n"
        "    operations: {ping: {pacing: {rate: 1/5s}}}\n"
    )
    found = look_at(folder, upstream.url)
    assert found["pacing"].message == (
        "10 a second, 5 at once; ping: one in 5 s, 1 at once (orders)"
    )
    assert found["settings"].verdict is Verdict.PASS


@pytest.fixture
def paper() -> Iterator[RunningGateway]:
    with running_gateway(PaperGateway(pacing=0)) as running:
        yield running


@pytest.mark.parametrize(
    "settings",
    ["keep-alive: {call: web.tickle, every: 60s, safe: true}", "login: https://localhost:5000"],
)
def test_session_is_open_or_not(folder: Path, paper: RunningGateway, settings: str) -> None:
    (folder / "web.yaml").write_text(GATEWAY.replace("BASE", paper.base_uri))
    (folder / "runtime.yaml").write_text(f"upstreams: {{web: {{{settings}}}}}\n")
    trusting = UpstreamChoices((paper.certificate_path,))
    before = {finding.check: finding for finding in look(folder, trusting)}
    assert before["session"].verdict is Verdict.PASS
    paper.gateway.session.log_out()
    after = {finding.check: finding for finding in look(folder, trusting)}
    assert after["session"].verdict is Verdict.FAIL
    assert "not logged in - log in at https://" in after["session"].message


def test_session_is_no_matter_where_nobody_has_to_log_in(
    folder: Path, upstream: RecordingUpstream
) -> None:
    assert "session" not in look_at(folder, upstream.url)


def test_variables_are_set_or_not(
    folder: Path, upstream: RecordingUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    binds = "binds:\n  - {namespace: keys, keys: {HERE: DOCTOR_HERE, GONE: DOCTOR_GONE}}\n"
    text = capability("orders", upstream.url)
    (folder / "orders.yaml").write_text(text.replace("info:", f"{binds}info:", 1))
    monkeypatch.setenv("DOCTOR_HERE", "s3cret")
    monkeypatch.delenv("DOCTOR_GONE", raising=False)
    found = [finding for finding in look(folder) if finding.check == "variables"]
    assert [(each.verdict.value, each.message.partition(" - ")[0]) for each in found] == [
        ("pass", "set: HERE"),
        ("fail", '"GONE" is not set'),
    ]
    assert all("s3cret" not in each.message for each in found)


def test_command_says_what_to_do_and_ends_with_1(folder: Path) -> None:
    (folder / "orders.yaml").write_text(capability("orders", "http://127.0.0.1:1"))
    done = run_naftiko("doctor", folder)
    assert done.returncode == 1
    assert "http://127.0.0.1:1\n" in done.stdout
    assert "  fail  tcp" in done.stdout
    assert "1 failed" in done.stdout


def test_command_ends_with_0_when_all_is_well(folder: Path, upstream: RecordingUpstream) -> None:
    (folder / "orders.yaml").write_text(capability("orders", upstream.url))
    done = run_naftiko("doctor", folder, "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["passed"]
    assert {(each["check"], each["verdict"]) for each in report["findings"]} == {
        (check, "pass") for check in ("name", "tcp", "http", "clock", "pacing")
    }


def test_broken_file_and_empty_folder_fail(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.yaml").write_text("naftiko: 1.0.0-alpha2\ninfo: {}\n")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert any("naftiko validate" in finding.message for finding in look(folder))
    assert [finding.verdict.value for finding in look(empty)] == ["fail"]
