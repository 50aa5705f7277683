"""Variables from the process environment and from an `--env-file`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from naftiko_runtime.problems import Place, Problem, Severity

_LINE_END = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=(.*)", re.DOTALL)
_SINGLE_QUOTED = re.compile(r"'([^']*)'\s*(?:#.*)?", re.DOTALL)
_DOUBLE_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?', re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\", "$": "$"}


def lookup(keys: tuple[str, ...], environment: Mapping[str, str]) -> dict[str, str | None]:
    """Each key's value in the environment, None where it is not set."""
    return {key: environment.get(key) for key in keys}


def parse_env_text(text: str, file: str) -> tuple[dict[str, str], list[Problem]]:
    """The variables of a dotenv text: `KEY=value` lines, `#` comments, optional quotes.

    Single quotes keep the text as it is; double quotes read backslash escapes; an unquoted value
    ends before ` #`. Variables are not expanded: a `$` stays one.
    """
    values: dict[str, str] = {}
    problems: list[Problem] = []
    for number, line in enumerate(_LINE_END.split(text), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            problems.append(
                Problem(
                    "env-file-line",
                    Place(file, number),
                    (),
                    "this line is not of the form KEY=value",
                    "write one variable per line, and start comments with '#'",
                    Severity.WARNING,
                )
            )
            continue
        values[match[1]] = _unquote(match[2])
    return values, problems


def _unquote(text: str) -> str:
    stripped = text.strip()
    single = _SINGLE_QUOTED.fullmatch(stripped)
    if single is not None:
        return single[1]
    double = _DOUBLE_QUOTED.fullmatch(stripped)
    if double is not None:
        return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[0]), double[1], flags=re.DOTALL)
    return re.split(r"\s#", text, maxsplit=1)[0].strip()


def read_env_file(path: Path) -> tuple[dict[str, str], list[Problem]]:
    """The variables of a dotenv file; a file that cannot be read is a problem, not an exception."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        message = f'the environment file "{path}" cannot be read: {reason}'
        return {}, [Problem("env-file", Place(str(path)), (), message, "check --env-file")]
    return parse_env_text(text, str(path))
