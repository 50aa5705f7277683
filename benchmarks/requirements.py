"""What a run needs that the development environment does not bring."""

from __future__ import annotations

import shutil
from importlib.util import find_spec

_PROGRAMS = {
    "wrk": "apt-get install wrk",
    "nginx": "apt-get install nginx-light",
}
_MODULES = (
    "aiohttp",
    "uvicorn",
    "uvloop",
    "httptools",
    "httpx2",
    "starlette",
    "mcp",
    "jsonpath_ng",
)


def missing(*, without: frozenset[str]) -> list[str]:
    """What is not there, each with how to get it. `without` are the peers that are left out."""
    found = [
        f'"{name}" is not installed - {remedy}'
        for name, remedy in _PROGRAMS.items()
        if program(name) is None
    ]
    if "toolbox" not in without and program("npm") is None:
        found.append('"npm" is not installed - apt-get install npm, or use --without toolbox')
    modules = [name for name in _MODULES if find_spec(name) is None]
    if modules:
        names = ", ".join(modules)
        found.append(f"this Python has no {names} - run scripts/setup, and use .venv/bin/python")
    return found


def program(name: str) -> str | None:
    """Where a program is; that of a server may be outside of a user's PATH."""
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
