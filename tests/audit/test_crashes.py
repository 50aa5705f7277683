"""A crash at any byte of a write leaves a journal that can be gone on with, and is no tampering."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.audit.head import head_path
from naftiko_runtime.audit.journal_file import JournalFile
from naftiko_runtime.audit.records import Draft, draft_begin, draft_end
from naftiko_runtime.audit.verification import verify

BATCHES = st.lists(st.integers(1, 4), min_size=1, max_size=5)


def _drafts(count: int) -> list[Draft]:
    return [
        draft_begin({"note": 'a "line"\r\n', "n": n}) if n % 2 else draft_end(n, {"status": 200})
        for n in range(count)
    ]


@given(st.data(), BATCHES, st.integers(0, 3))
def test_after_crashes_at_any_byte_the_chain_goes_on(
    data: st.DataObject, batches: list[int], again: int
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "audit.jsonl")
        records = 0
        for size in batches:
            file = JournalFile(path)
            before = path.stat().st_size if path.exists() else 0
            head = head_path(path).read_bytes() if before else None
            numbers = file.append(_drafts(size))
            file.close()
            assert numbers[0] > records
            whole = path.stat().st_size
            cut = data.draw(st.integers(before, whole))
            if cut < whole:  # the process died before the last byte, and so before the head file
                with path.open("r+b") as broken:
                    broken.truncate(cut)
                if head is not None:
                    head_path(path).write_bytes(head)
                else:
                    head_path(path).write_bytes(_empty_head(folder))
            verdict = verify(path)
            assert verdict.fault is None
            for _ in range(again):
                file = JournalFile(path)
                told = file.recover()
                file.close()
                assert (told is not None) == (path.stat().st_size > cut)
                cut = path.stat().st_size
                verdict = verify(path)
                assert verdict.fault is None
            records = verdict.records
        last = JournalFile(path).append(_drafts(1))
        assert last == [verify(path).records]


def _empty_head(folder: str) -> bytes:
    path = Path(folder, "other.jsonl")
    JournalFile(path).recover()
    return head_path(path).read_bytes()
