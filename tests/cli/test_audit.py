"""`naftiko audit verify` as people and scripts run it."""

from __future__ import annotations

from pathlib import Path

import pytest

from naftiko_runtime.audit.journal_file import JournalFile
from naftiko_runtime.audit.records import draft_begin, draft_end, draft_refused
from tests.serving_process import run_naftiko


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "capabilities" / "audit.jsonl"
    path.parent.mkdir()
    file = JournalFile(path)
    for number in (1, 3):
        file.append([draft_begin({"operation": "orders.place"})])
        file.append([draft_end(number, {"status": 200})])
    file.close()
    return path


def test_a_whole_journal_is_fine(journal: Path, tmp_path: Path) -> None:
    done = run_naftiko("audit", "verify", cwd=tmp_path)
    assert done.returncode == 0
    last = journal.read_text().splitlines()[-1][-66:-2]
    assert done.stdout == (
        f"capabilities/audit.jsonl: 4 records, the last with the hash {last}; "
        "none was changed or dropped\n"
    )


def test_the_line_of_the_first_fault_is_told(journal: Path) -> None:
    journal.write_bytes(journal.read_bytes().replace(b'"status":200', b'"status":201', 1))
    done = run_naftiko("audit", "verify", journal)
    assert done.returncode == 1
    assert f"{journal}:2: changed: " in done.stdout
    assert "up to there, 1 record," in done.stdout


def test_records_that_were_cut_off_are_told(journal: Path) -> None:
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:2]))
    done = run_naftiko("audit", "verify", journal)
    assert done.returncode == 1
    assert f"{journal}:3: dropped: records 3 to 4 are missing at the end\n" in done.stdout


def test_a_torn_line_and_a_lost_outcome_are_told_and_fine(journal: Path) -> None:
    file = JournalFile(journal)
    file.append([draft_begin({"operation": "orders.place"})])
    file.close()
    with journal.open("ab") as broken:
        broken.write(b'{"number":6')
    done = run_naftiko("audit", "verify", journal)
    assert done.returncode == 0
    assert f"{journal}:6: torn: " in done.stdout
    assert "calls without an outcome: 1 " in done.stdout


def test_a_journal_without_records_is_fine(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    file = JournalFile(path)
    file.recover()
    file.close()
    done = run_naftiko("audit", "verify", path)
    assert done.returncode == 0
    assert done.stdout == f"{path}: no records; none was changed or dropped\n"


def test_a_missing_journal_is_told(tmp_path: Path) -> None:
    done = run_naftiko("audit", "verify", tmp_path / "none.jsonl")
    assert done.returncode == 1
    assert done.stderr == (
        f'naftiko audit: "{tmp_path}/none.jsonl" cannot be read: No such file or directory\n'
    )


def test_refused_calls_are_counted_and_miss_no_outcome(journal: Path) -> None:
    file = JournalFile(journal)
    file.append([draft_refused({"operation": "orders.place", "failure": "read-only"})])
    file.close()
    done = run_naftiko("audit", "verify", journal)
    assert done.returncode == 0
    assert "5 records (1 of them of refused calls), the last" in done.stdout
    assert "without an outcome" not in done.stdout
