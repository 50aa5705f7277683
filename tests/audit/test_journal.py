"""The journal that calls wait for: on the disk before they go on, whoever else writes to it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.audit.file_journal import FileJournal
from naftiko_runtime.audit.head import head_path
from naftiko_runtime.audit.journal import AuditUnavailable
from naftiko_runtime.audit.verification import verify
from naftiko_runtime.json_values import JsonValue
from tests.serving_process import clean_environment

CALL: dict[str, JsonValue] = {"operation": "orders.place", "arguments": {"quantity": 1}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line.endswith(b"}")]


async def _call(path: Path, count: int = 1) -> None:
    journal = FileJournal(path)
    try:
        for _ in range(count):
            await journal.end(await journal.begin(CALL), {"status": 200})
    finally:
        await journal.aclose()


@pytest.mark.anyio
async def test_a_call_is_recorded_before_and_after(path: Path) -> None:
    journal = FileJournal(path)
    number = await journal.begin(CALL)
    begun = _records(path)
    await journal.end(number, {"status": 200, "duration": 0.25})
    await journal.aclose()
    before, after = _records(path)
    assert begun == [before]
    assert (before["number"], before["event"], before["call"]) == (1, "begin", CALL)
    assert (after["number"], after["event"], after["of"]) == (2, "end", 1)
    assert after["call"] == {"status": 200, "duration": 0.25}
    assert before["time"] <= after["time"]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.anyio
async def test_digits_and_texts_survive(path: Path) -> None:
    journal = FileJournal(path)
    arguments: JsonValue = {"price": 1.10, "account": 2**80, "note": 'Zürich "\\\n\u2028\x00'}
    await journal.begin({"arguments": arguments})
    await journal.aclose()
    assert _records(path)[0]["call"]["arguments"] == arguments
    assert verify(path).fault is None


@pytest.mark.anyio
async def test_calls_at_the_same_time_share_flushes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushes = 0
    flush = os.fsync

    def counted(file: int) -> None:
        nonlocal flushes
        flushes += 1
        flush(file)

    monkeypatch.setattr(os, "fsync", counted)
    journal = FileJournal(path)
    numbers = await asyncio.gather(*(journal.begin(CALL) for _ in range(200)))
    await journal.aclose()
    assert sorted(numbers) == list(range(1, 201))
    assert flushes < 20
    assert verify(path).records == 200


@pytest.mark.anyio
async def test_a_caller_who_goes_leaves_the_others_their_records(path: Path) -> None:
    journal = FileJournal(path)
    calls = [asyncio.create_task(journal.begin(CALL)) for _ in range(10)]
    await asyncio.sleep(0)
    for call in calls[::2]:
        call.cancel()
    done = await asyncio.gather(*calls, return_exceptions=True)
    await journal.aclose()
    numbers = [number for number in done if isinstance(number, int)]
    assert len(set(numbers)) == 5
    assert {record["number"] for record in _records(path)} >= set(numbers)
    assert verify(path).fault is None


@pytest.mark.anyio
async def test_the_chain_goes_on_after_a_restart(path: Path) -> None:
    await _call(path)
    await _call(path)
    verdict = verify(path)
    assert (verdict.records, verdict.fault, verdict.unended) == (4, None, 0)


_WRITER = """
import asyncio, sys
from pathlib import Path
from naftiko_runtime.audit.file_journal import FileJournal

async def main(path, name, count):
    journal = FileJournal(path)
    async def call(number):
        begun = await journal.begin({"by": name, "n": number})
        print(begun, flush=True)
        await journal.end(begun, {"by": name})
    for group in range(0, count, 5):
        await asyncio.gather(*(call(number) for number in range(group, group + 5)))
    await journal.aclose()

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""


def _start_writer(path: Path, name: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), name, str(count)],
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )


def test_several_processes_append_to_one_chain(path: Path) -> None:
    writers = [_start_writer(path, f"writer {n}", 50) for n in range(3)]
    numbers: list[int] = []
    for writer in writers:
        output, _ = writer.communicate(timeout=60)
        assert writer.returncode == 0
        numbers += map(int, output.split())
    assert len(set(numbers)) == 150
    verdict = verify(path)
    assert (verdict.records, verdict.fault, verdict.unended) == (300, None, 0)


def test_what_was_acknowledged_is_there_after_kills(path: Path) -> None:
    acknowledged: dict[int, str] = {}
    for run in range(6):
        writer = _start_writer(path, f"run {run}", 10_000)
        assert writer.stdout is not None
        for _ in range(10 + run):
            acknowledged[int(writer.stdout.readline())] = f"run {run}"
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        assert verify(path).fault is None
    records = {record["number"]: record for record in _records(path)}
    for number, name in acknowledged.items():
        assert records[number]["call"]["by"] == name
        assert records[number]["event"] == "begin"


@pytest.mark.anyio
@pytest.mark.parametrize("left", [b'{"number":3,"ti', b'{"number":3}\n', b"\x00" * 70_000, b"{"])
async def test_what_a_crash_left_unfinished_is_told_and_the_chain_goes_on(
    path: Path, left: bytes
) -> None:
    await _call(path)
    with path.open("ab") as file:
        file.write(left)
    journal = FileJournal(path)
    told = await journal.recover()
    assert told is not None
    assert f"{len(left)} bytes" in told
    assert await journal.recover() is None
    assert await journal.begin(CALL) == 4
    await journal.aclose()
    verdict = verify(path)
    assert (verdict.fault, verdict.torn, verdict.records) == (None, (3,), 4)
    assert _records(path)[-2]["event"] == "torn"


@pytest.mark.anyio
async def test_a_crash_before_the_very_first_record_is_no_obstacle(path: Path) -> None:
    journal = FileJournal(path)
    assert await journal.recover() is None
    await journal.aclose()
    path.write_bytes(b'{"number":1,')
    await _call(path)
    verdict = verify(path)
    assert (verdict.fault, verdict.torn, verdict.records) == (None, (1,), 3)


@pytest.mark.anyio
async def test_a_record_longer_than_what_is_read_at_once_is_found_again(path: Path) -> None:
    journal = FileJournal(path)
    await journal.begin({"arguments": {"note": "x" * 300_000}})
    await journal.aclose()
    await _call(path)
    assert verify(path).records == 3


@pytest.mark.anyio
async def test_a_journal_that_was_cut_off_takes_no_calls(path: Path) -> None:
    await _call(path, 3)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    with pytest.raises(AuditUnavailable, match="ends with record 5, and there have been 6"):
        await _call(path)
    path.unlink()
    with pytest.raises(AuditUnavailable, match="ends with record 0"):
        await _call(path)


@pytest.mark.anyio
async def test_a_changed_last_record_takes_no_calls(path: Path) -> None:
    await _call(path)
    path.write_bytes(path.read_bytes().replace(b'"status":200', b'"status":201'))
    with pytest.raises(AuditUnavailable, match="ends with record 1"):
        await _call(path)


@pytest.mark.anyio
async def test_a_file_that_is_no_journal_is_left_alone(path: Path) -> None:
    path.write_text("important\n")
    with pytest.raises(AuditUnavailable, match="is missing"):
        await _call(path)
    assert path.read_text() == "important\n"


@pytest.mark.anyio
async def test_both_files_moved_away_while_it_runs_begin_a_new_journal(path: Path) -> None:
    journal = FileJournal(path)
    await journal.end(await journal.begin(CALL), {"status": 200})
    path.rename(path.with_name("old.jsonl"))
    head_path(path).rename(head_path(path.with_name("old.jsonl")))
    assert await journal.begin(CALL) == 1
    await journal.aclose()
    assert verify(path).records == 1
    assert verify(path.with_name("old.jsonl")).records == 2


@pytest.mark.anyio
async def test_a_place_that_cannot_be_written_is_told_and_used_once_it_can(tmp_path: Path) -> None:
    path = tmp_path / "later" / "audit.jsonl"
    journal = FileJournal(path)
    with pytest.raises(AuditUnavailable, match="cannot be written: No such file or directory"):
        await journal.recover()
    with pytest.raises(AuditUnavailable, match=r"audit\.jsonl"):
        await journal.begin(CALL)
    path.parent.mkdir()
    assert await journal.begin(CALL) == 1
    await journal.aclose()


_FULL = """
import asyncio, resource, sys
from pathlib import Path
from naftiko_runtime.audit.file_journal import FileJournal
from naftiko_runtime.audit.journal import AuditUnavailable

async def main(path):
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
    journal = FileJournal(path)
    while True:
        try:
            print(await journal.begin({"n": "x" * 100}), flush=True)
        except AuditUnavailable as error:
            print(error, flush=True)
            break
    try:
        await journal.begin({"n": 1})
    except AuditUnavailable as error:
        print("still", error, flush=True)

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
@pytest.mark.anyio
async def test_a_full_disk_takes_no_calls_until_there_is_room(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(path)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert "cannot be written: File too large" in lines[-2]
    assert lines[-1].startswith("still")
    acknowledged = len(lines) - 2
    assert verify(path).records == acknowledged
    await _call(path)
    verdict = verify(path)
    assert verdict.fault is None
    assert verdict.records == acknowledged + 3
    assert len(verdict.torn) == 1


@pytest.mark.anyio
async def test_what_ends_after_the_journal_was_closed_is_told_so(path: Path) -> None:
    """As when the process stops under a call: its caller is given the answer all the same."""
    journal = FileJournal(path)
    number = await journal.begin(CALL)
    await journal.aclose()
    with pytest.raises(AuditUnavailable):
        await journal.end(number, {"status": 200})


@pytest.mark.anyio
async def test_what_is_no_json_is_refused_before_anything_is_written(path: Path) -> None:
    journal = FileJournal(path)
    with pytest.raises(AuditUnavailable, match="JSON"):
        await journal.begin({"price": float("nan")})
    await journal.aclose()
    assert not path.exists()
