"""Whatever a settings file holds, it is read or refused with a place."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.problems import Severity
from naftiko_runtime.settings.reader import read_settings
from tests.settings.reading import FILE
from tests.settings.test_schema_file import changed


def check(data: bytes) -> None:
    reading = read_settings(FILE, data, {})
    errors = [problem for problem in reading.problems if problem.severity is Severity.ERROR]
    assert (reading.settings is None) == bool(errors)
    for problem in reading.problems:
        assert problem.place.file == str(FILE)
        assert problem.place.line >= 1
        assert problem.message
        assert problem.remedy


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    check(data)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    check(text.encode(errors="surrogatepass"))


@given(changed())
def test_any_document_is_read_or_refused(document: Any) -> None:
    check(yaml.safe_dump(document).encode())


@given(st.text(max_size=30))
def test_any_path_of_a_guard_is_read_or_refused(path: str) -> None:
    limits = [{"value": path, "max": 1}]
    check(yaml.safe_dump({"guards": [{"match": "*", "limits": limits}]}).encode())
