"""Fixtures for tests that run scripts: the processes of a module's tests are started once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.engine.scripts import stop_scripts
from naftiko_runtime.failures import FailureKind
from tests.script_files import script, scripts
from tests.sequences import LoadedSequence


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", autouse=True)
async def processes(anyio_backend: str) -> AsyncIterator[None]:
    """Ends the processes that the module's scripts ran in."""
    yield
    await stop_scripts()


class Runner:
    """Runs single scripts of one suffix in a folder."""

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder = folder
        self._suffix = suffix

    async def value(self, text: str, inputs: dict[str, Any] | None = None, **parts: Any) -> Any:
        """The output of a script with that text."""
        file = self.load(text, inputs, **parts)
        return (await file.value(inputs or {}))["value"]

    async def failure(self, text: str, inputs: dict[str, Any] | None = None, **parts: Any) -> str:
        """How a script with that text fails, without the step's name."""
        failure = await self.load(text, inputs, **parts).failure(inputs or {})
        assert failure.kind is FailureKind.SCRIPT_FAILED
        assert failure.http_status == 500
        assert failure.step == "script"
        return failure.detail.removeprefix(f'step "script": the script "main{self._suffix}" ')

    def load(self, text: str, inputs: dict[str, Any] | None = None, **parts: Any) -> LoadedSequence:
        """A file whose one step is a script with that text."""
        name = f"main{self._suffix}"
        files = {name: text, **parts.pop("files", {})}
        step = script(name, **parts.pop("step", {}))
        declared = [
            {"name": key, "type": _type_of(value), "description": "A value."}
            for key, value in (inputs or {}).items()
        ]
        file = scripts(self._folder, files, [step], inputs=declared, **parts)
        assert file.errors == []
        return file


def _type_of(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "number")
