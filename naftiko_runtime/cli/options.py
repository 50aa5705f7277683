"""Options that several commands share, and the forms of their values."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

K = TypeVar("K")
V = TypeVar("V")


def add_environment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--env-file",
        type=Path,
        metavar="FILE",
        help="KEY=value lines for variables that the environment does not set",
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--settings",
        type=Path,
        metavar="FILE",
        help="work by these settings of the operator (default: runtime.yaml beside the files)",
    )


def add_upstreams(parser: argparse.ArgumentParser) -> None:
    """What decides where calls go, and whom they trust."""
    parser.add_argument(
        "--base-uri",
        type=_base_uri,
        action="append",
        default=[],
        metavar="NAMESPACE=URI",
        help="call this address instead of the baseUri of a consumed namespace (repeatable)",
    )
    parser.add_argument(
        "--ca",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="also trust the authorities in this PEM file (repeatable)",
    )
    parser.add_argument(
        "--insecure",
        action="append",
        default=[],
        metavar="NAMESPACE",
        help="do not check the certificate of a consumed namespace on this machine (repeatable); "
        '"naftiko trust" is the better way',
    )


def add_logs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log-format",
        choices=("text", "json"),
        default="text",
        help="how to print what happens, on standard error (default: text)",
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="info",
        help="debug also prints a line per call, without its query or body (default: info)",
    )


class UsageError(Exception):
    """Arguments that are fine one by one but not together; ends the command with exit code 2."""


def pairs(given: Sequence[tuple[K, V]], option: str) -> dict[K, V]:
    """The pairs of a repeatable option by key. Raises UsageError when a key has two values."""
    found: dict[K, V] = {}
    for key, value in given:
        if found.setdefault(key, value) != value:
            raise UsageError(f"{option} is given twice for {key}: {found[key]} and {value}")
    return found


def moved_port(text: str) -> tuple[int, int]:
    """`8080=8081`: the declared port and the one to open, 0 for any free one."""
    declared, equals, actual = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f'"{text}" is not of the form DECLARED=ACTUAL')
    return _port(declared, 1), _port(actual, 0)


def _port(text: str, least: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f'"{text}" is not a port ({least} to 65535)')
    return int(text)


def _base_uri(text: str) -> tuple[str, str]:
    namespace, equals, uri = text.partition("=")
    if not equals or not namespace:
        raise argparse.ArgumentTypeError(f'"{text}" is not of the form NAMESPACE=URI')
    try:
        parts = urlsplit(uri)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise argparse.ArgumentTypeError(f'"{uri}" is not an http or https address')
    return namespace, uri


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A parser of whole numbers within bounds."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f'"{text}" is not a number from {least} to {most}')
        return int(text)

    return parse


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 3600:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of seconds (0 to 3600)')
    return value
