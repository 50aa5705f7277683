"""Whatever is done to the records of a journal, or to their order, is found."""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from naftiko_runtime.audit.head import head_path
from naftiko_runtime.audit.journal_file import JournalFile
from naftiko_runtime.audit.records import NOTHING_BEFORE, Draft, draft_begin, draft_end, seal
from naftiko_runtime.audit.verification import FaultKind, Verdict, verify

RECORDS = 12
TORN = b'{"number":5,"time":"2026-02-24T12:0'


def _drafts() -> list[Draft]:
    """Six calls, each with its beginning and end."""
    drafts: list[Draft] = []
    for number in range(1, RECORDS, 2):
        drafts.append(draft_begin({"operation": "orders.place", "arguments": {"n": number}}))
        drafts.append(draft_end(number, {"status": 200}))
    return drafts


@dataclass(frozen=True)
class Written:
    journal: bytes
    head: bytes

    def verify(self, journal: bytes | None = None) -> Verdict:
        with TemporaryDirectory() as folder:
            path = Path(folder, "audit.jsonl")
            path.write_bytes(self.journal if journal is None else journal)
            head_path(path).write_bytes(self.head)
            return verify(path)


def _write(torn_after: int | None = None) -> Written:
    with TemporaryDirectory() as folder:
        path = Path(folder, "audit.jsonl")
        file = JournalFile(path)
        drafts = _drafts()
        before = len(drafts) if torn_after is None else torn_after
        if drafts[:before]:
            file.append(drafts[:before])
        if torn_after is not None:
            with path.open("ab") as broken:
                broken.write(TORN)
            file.append(drafts[before:])
        file.close()
        return Written(path.read_bytes(), head_path(path).read_bytes())


WHOLE = _write()
MENDED = _write(torn_after=4)
EITHER = st.sampled_from((WHOLE, MENDED))


def _lines(written: Written) -> list[bytes]:
    return written.journal.splitlines(keepends=True)


def test_a_whole_journal_is_without_fault() -> None:
    verdict = WHOLE.verify()
    assert verdict.fault is None
    assert (verdict.records, verdict.torn, verdict.unended, verdict.beyond) == (RECORDS, (), 0, 0)
    assert verdict.hash == json.loads(_lines(WHOLE)[-1])["hash"]


def test_a_line_that_a_crash_left_unfinished_is_told_and_no_fault() -> None:
    verdict = MENDED.verify()
    assert verdict.fault is None
    assert (verdict.records, verdict.torn) == (RECORDS + 1, (5,))


def test_a_crash_in_the_last_line_is_told_and_no_fault() -> None:
    verdict = WHOLE.verify(WHOLE.journal + TORN)
    assert (verdict.fault, verdict.torn, verdict.records) == (None, (13,), RECORDS)


def test_a_program_of_three_lines_can_check_the_chain() -> None:
    previous = NOTHING_BEFORE
    for line in WHOLE.journal.decode().splitlines():
        assert json.loads(line)["previous"] == previous
        previous = line[-66:-2]
        assert sha256((line[:-75] + "}").encode()).hexdigest() == previous


@given(EITHER, st.data())
def test_any_changed_byte_is_found(written: Written, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(written.journal) - 1))
    byte = data.draw(st.integers(0, 255))
    assume(written.journal[place] != byte)
    changed = bytearray(written.journal)
    changed[place] = byte
    fault = written.verify(bytes(changed)).fault
    assert fault is not None
    line = written.journal.count(b"\n", 0, place) + 1
    torn_with_its_record = (5, 6)
    if written is MENDED and line in torn_with_its_record:
        assert fault.line in torn_with_its_record
    else:
        assert fault.line == line


@given(EITHER, st.data())
def test_any_dropped_lines_are_found(written: Written, data: st.DataObject) -> None:
    lines = _lines(written)
    first = data.draw(st.integers(0, len(lines) - 1))
    end = data.draw(st.integers(first + 1, len(lines)))
    fault = written.verify(b"".join(lines[:first] + lines[end:])).fault
    assert fault is not None
    if written is WHOLE:
        assert (fault.kind, fault.line) == (FaultKind.DROPPED, first + 1)


@given(EITHER, st.data())
def test_any_two_lines_that_changed_places_are_found(written: Written, data: st.DataObject) -> None:
    lines = _lines(written)
    first = data.draw(st.integers(0, len(lines) - 2))
    second = data.draw(st.integers(first + 1, len(lines) - 1))
    lines[first], lines[second] = lines[second], lines[first]
    fault = written.verify(b"".join(lines)).fault
    assert fault is not None
    if written is WHOLE:
        assert (fault.kind, fault.line) == (FaultKind.REORDERED, first + 1)


@given(EITHER, st.data())
def test_any_line_that_is_there_twice_is_found(written: Written, data: st.DataObject) -> None:
    lines = _lines(written)
    copied = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines)))
    lines.insert(place, lines[copied])
    fault = written.verify(b"".join(lines)).fault
    assert fault is not None
    if written is WHOLE:
        either_of_a_pair = {place, place + 1, place + 2}
        beside = place in (copied, copied + 1)
        assert fault.line in (either_of_a_pair if beside else {place + 1})


@given(EITHER, st.data(), st.binary(max_size=40).map(lambda text: text.replace(b"\n", b"")))
def test_any_line_that_is_no_record_is_found(
    written: Written, data: st.DataObject, text: bytes
) -> None:
    lines = _lines(written)
    place = data.draw(st.integers(0, len(lines)))
    lines.insert(place, text + b"\n")
    fault = written.verify(b"".join(lines)).fault
    assert fault is not None
    if written is WHOLE:
        assert (fault.kind, fault.line) == (FaultKind.INSERTED, place + 1)


@pytest.mark.parametrize("place", range(RECORDS + 1))
def test_a_forged_record_that_fits_what_stands_before_it_is_found(place: int) -> None:
    lines = _lines(WHOLE)
    previous = NOTHING_BEFORE if place == 0 else json.loads(lines[place - 1])["hash"]
    forged, _ = seal(draft_begin({"operation": "orders.cancel"}), place + 1, previous)
    lines.insert(place, forged)
    verdict = WHOLE.verify(b"".join(lines))
    if place == RECORDS:
        assert verdict.beyond == 1
        return
    assert verdict.fault is not None
    assert verdict.fault.line == place + 1
    known_by_the_head = place == RECORDS - 1
    assert verdict.fault.kind is (FaultKind.CHANGED if known_by_the_head else FaultKind.INSERTED)


@pytest.mark.parametrize("place", range(RECORDS))
def test_a_record_that_is_written_anew_with_its_right_hash_is_found(place: int) -> None:
    lines = _lines(WHOLE)
    previous = json.loads(lines[place])["previous"]
    lines[place], _ = seal(draft_begin({"operation": "orders.cancel"}), place + 1, previous)
    fault = WHOLE.verify(b"".join(lines)).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (FaultKind.CHANGED, place + 1)


def test_a_chain_that_is_written_anew_does_not_fit_the_head_file() -> None:
    lines, previous = [], NOTHING_BEFORE
    for number in range(1, RECORDS + 3):
        line, previous = seal(draft_begin({"n": number}), number, previous)
        lines.append(line)
    fault = WHOLE.verify(b"".join(lines)).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (FaultKind.CHANGED, RECORDS)


def test_a_missing_head_file_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_bytes(WHOLE.journal)
    fault = verify(path).fault
    assert fault is not None
    assert (fault.kind, fault.line) == (FaultKind.HEAD, None)


@given(st.data())
def test_any_change_of_the_head_file_but_for_a_smaller_count_is_found(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(WHOLE.head) - 1))
    byte = data.draw(st.integers(0, 255))
    assume(WHOLE.head[place] != byte)
    changed = bytearray(WHOLE.head)
    changed[place] = byte
    assert Written(WHOLE.journal, bytes(changed)).verify().fault is not None


def test_calls_without_an_end_are_counted() -> None:
    cut = b"".join(_lines(WHOLE)[:-1])
    head = b'{"records":11,"hash":"%b"}' % json.loads(_lines(WHOLE)[-2])["hash"].encode()
    verdict = Written(cut, head.ljust(127) + b"\n").verify()
    assert (verdict.fault, verdict.unended) == (None, 1)
