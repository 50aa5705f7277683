"""Reads the examples of the language reference; docs/language/README.md says how they are written.

An example is a whole capability file with the files, variables and exchanges that follow it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.docs.markdown import DOCS, ROOT, Fence, Section, read_sections

LANGUAGE = DOCS / "language"

_FILE = re.compile(r"(?:#|//) file: (\S+)\n")
_EXPORT = re.compile(r"""export ([A-Z][A-Z0-9_]*)=(?:"([^"]*)"|'([^']*)'|(\S*))""")
_PART = re.compile(r"### (call|sent|upstream|answer)\b.*")
_HEADER = re.compile(r"([A-Za-z][A-Za-z0-9-]*): ?(.*)")
_PROBLEM = re.compile(r"\S+?:(\d+:\d+: (?:error|warning|note): .*)")


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer: its first line, headers and body."""

    line: int
    start: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""


@dataclass(frozen=True, slots=True)
class Upstream:
    """A request that has to reach an upstream, and what it answers."""

    sent: Message
    reply: Message


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call, what it makes of it upstream, and what the caller gets."""

    call: Message
    upstreams: tuple[Upstream, ...]
    answer: Message


@dataclass(slots=True)
class Example:
    """`files` are those beside the capability by relative path, `at_load` the exchanges with
    upstreams when it is loaded, `problems` what the runtime says of it (without its name)."""

    section: Section
    line: int
    capability: str
    files: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    at_load: list[Upstream] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.section.page.stem}:{self.section.anchor}:{self.line}"

    def where(self, message: Message) -> str:
        return f"{self.section.page.relative_to(ROOT)}:{message.line}"


def language_pages() -> list[Path]:
    return sorted(LANGUAGE.glob("*.md"))


def read_examples(page: Path) -> list[Example]:
    """The examples of a page in order."""
    examples: list[Example] = []
    for section in read_sections(page):
        current: Example | None = None
        for fence in section.fences:
            if fence.language == "yaml" and fence.text.startswith("naftiko:"):
                current = Example(section, fence.line, fence.text)
                examples.append(current)
            elif fence.language != "text" or _FILE.match(fence.text):
                assert current, f"{page}:{fence.line}: there is no capability file before this"
                _add(current, fence)
    return examples


def read_settings_examples(page: Path) -> list[Example]:
    """The examples of a page on settings: each `runtime.yaml` with what follows it, beside the one
    capability of the page."""
    capability = ""
    examples: list[Example] = []
    for section in read_sections(page):
        for fence in section.fences:
            if fence.language == "yaml" and fence.text.startswith("naftiko:"):
                assert not capability, f"{page}:{fence.line}: there is a capability already"
                capability = fence.text
            if not _FILE.match(fence.text) and not examples:
                continue
            assert capability, f"{page}:{fence.line}: there is no capability before this"
            if fence.language == "yaml":
                examples.append(Example(section, fence.line, capability))
            _add(examples[-1], fence)
    return examples


def _add(example: Example, fence: Fence) -> None:
    named = _FILE.match(fence.text)
    if named is not None:
        example.files[named[1]] = fence.text[named.end() :]
    elif fence.language == "http":
        at_load, exchanges = _read_exchanges(fence)
        example.at_load += at_load
        example.exchanges += exchanges
    elif fence.language == "sh":
        example.variables |= _read_variables(fence)
    elif fence.language == "console":
        example.problems += [found[1] for found in _PROBLEM.finditer(fence.text)]
    else:
        raise AssertionError(f"{example.section.page}:{fence.line}: what is this block?")


def _read_variables(fence: Fence) -> dict[str, str]:
    lines = [line for line in fence.text.splitlines() if line.strip()]
    found = [_EXPORT.fullmatch(line) for line in lines]
    assert all(found), f"line {fence.line}: not of the form export NAME=value"
    return {match[1]: match[2] or match[3] or match[4] or "" for match in found if match}


def _read_exchanges(fence: Fence) -> tuple[list[Upstream], list[Exchange]]:
    """What happens when the file is loaded, which stands before the first call, and the calls."""
    at_load: list[Upstream] = []
    exchanges: list[Exchange] = []
    call: Message | None = None
    sent: list[Message] = []
    replies: list[Message] = []
    for kind, message in _parts(fence):
        if kind == "call":
            assert call is None, f"line {message.line}: the call before has no answer"
            at_load += _paired(sent, replies)
            call, sent, replies = message, [], []
        elif kind == "sent":
            assert len(sent) == len(replies), f"line {message.line}: two requests, no answer"
            sent.append(message)
        elif kind == "upstream":
            assert len(sent) == len(replies) + 1, f"line {message.line}: no request before it"
            replies.append(message)
        else:
            assert call is not None, f"line {message.line}: there is no call before"
            exchanges.append(Exchange(call, tuple(_paired(sent, replies)), message))
            call, sent, replies = None, [], []
    assert call is None, f"line {call and call.line}: the call has no answer"
    return at_load, exchanges


def _paired(sent: list[Message], replies: list[Message]) -> list[Upstream]:
    assert len(sent) == len(replies), f"line {sent[-1].line}: what does the upstream answer?"
    return [Upstream(*pair) for pair in zip(sent, replies, strict=True)]


def _parts(fence: Fence) -> list[tuple[str, Message]]:
    parts: list[tuple[str, int, list[str]]] = []
    for number, line in enumerate(fence.text.splitlines(), start=fence.line):
        if match := _PART.fullmatch(line):
            parts.append((match[1], number, []))
        else:
            assert parts or not line, f"line {number}: the block starts with no ### part"
            if parts:
                parts[-1][2].append(line)
    return [(kind, _read_message(kind, number, lines)) for kind, number, lines in parts]


def _read_message(kind: str, number: int, lines: list[str]) -> Message:
    """A part's text. The answer of an MCP call may be a body alone."""
    while lines and not lines[-1].strip():
        lines.pop()
    if kind == "answer" and lines and not re.match(r"\d{3}\b|error$", lines[0]):
        return Message(number, "", (), "\n".join(lines))
    assert lines, f"line {number}: this part is empty"
    headers: list[tuple[str, str]] = []
    rest = lines[1:]
    while rest and (header := _HEADER.fullmatch(rest[0])):
        headers.append((header[1], header[2]))
        rest.pop(0)
    assert not rest or not rest[0], f"line {number}: no empty line before the body"
    return Message(number, lines[0], tuple(headers), "\n".join(rest[1:]))


def adapters_of(capability: str) -> list[dict[str, object]]:
    """The adapters that a capability file exposes."""
    document = yaml.safe_load(capability)
    return list((document.get("capability") or {}).get("exposes") or [])
