"""What a process that runs scripts is told and answers: frames over its standard streams.

A frame is its length, four bytes in network order, and its content. The process greets with one
frame, READY or what keeps it from working. A task is two frames, a header and the script's
`context`, both JSON; a reply is two as well, a header and the result.
"""

from __future__ import annotations

import struct
from enum import StrEnum
from typing import BinaryIO, Final

import msgspec

from naftiko_runtime.lazy_dataclasses import dataclass

LENGTH: Final = struct.Struct("!I")
READY: Final = "ready"
LARGEST_RESULT: Final = 16 * 1024 * 1024
"""The most bytes of JSON that a script can give."""
LARGEST_FRAME: Final = 2 * LARGEST_RESULT
MEMORY: Final = 128 * 1024 * 1024
"""How much memory a script can have. Monty counts each byte; V8 looks from time to time, and what
it overlooks ends at the bound of the whole process."""
STATEMENTS_MARK: Final = "_naftiko_statements"
"""What the counter of statements raises with; no script can hold it."""


class Ending(StrEnum):
    """How a script ended."""

    RESULT = "result"
    NOTHING = "nothing"
    """It did not assign `result`."""
    ERROR = "error"
    STATEMENTS = "statements"
    MEMORY = "memory"
    UNFIT = "unfit"
    """It assigned something that is no JSON."""


@dataclass(frozen=True, slots=True)
class Source:
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """Sources to run one after the other, in so many seconds altogether."""

    sources: tuple[Source, ...]
    statements: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Reply:
    """How a script ended, in words of the engine, and where: the index of the source and the
    line, counted from 1, as far as they are known."""

    ending: Ending
    message: str = ""
    source: int | None = None
    line: int | None = None


_TASK: Final = msgspec.json.Decoder(Task)
_REPLY: Final = msgspec.json.Decoder(Reply)


def frames(header: Task | Reply, content: bytes = b"") -> bytes:
    """A message as it is sent."""
    head = msgspec.json.encode(header)
    return b"".join((LENGTH.pack(len(head)), head, LENGTH.pack(len(content)), content))


def text_frame(text: str) -> bytes:
    content = text.encode(errors="replace")
    return LENGTH.pack(len(content)) + content


def decode_task(header: bytes) -> Task:
    return _TASK.decode(header)


def decode_reply(header: bytes) -> Reply:
    """Raises msgspec.ValidationError for what is no reply."""
    return _REPLY.decode(header)


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame, None at the end of the stream."""
    length = stream.read(LENGTH.size)
    if len(length) < LENGTH.size:
        return None
    return stream.read(LENGTH.unpack(length)[0])


def first_line(message: str, longest: int = 300) -> str:
    """What people are shown of an engine's message."""
    line = message.strip().partition("\n")[0]
    text = "".join(character if character.isprintable() else " " for character in line)
    return text if len(text) <= longest else text[: longest - 3] + "..."


def with_result(result: bytes) -> tuple[Reply, bytes]:
    """The reply to a script that gave this JSON."""
    if len(result) > LARGEST_RESULT:
        return Reply(Ending.UNFIT, f"result is larger than {LARGEST_RESULT // 2**20} MiB"), b""
    return Reply(Ending.RESULT), result
