"""How a record is written: one line of JSON that carries the hash of the line before.

A record is `{"number", "time", "event", ..., "previous", "hash"}`, without a space between its
members. `hash` is the SHA-256 of the line's own bytes without the member `hash`, `previous` the
`hash` of the record before. So a reader needs no rule for writing JSON to check one:

    sha256(line[:-75] + "}") == line[-66:-2]

`begin` and `end` hold a `call`, and `end` says `of` which number. `refused` holds a call that was
not made. `torn` stands after bytes that a crash left behind in the middle of a write, and says how
many and what their SHA-256 is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from hashlib import sha256
from typing import Final

from naftiko_runtime.json_codec import JsonError, decode_json, encode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

NOTHING_BEFORE: Final = "0" * 64
"""What the first record has for the hash of the one before."""

TORN_MARK: Final = b" torn\n"
"""What ends the bytes that a crash left: they may miss nothing of a record but the end of its line,
and must not become one."""

_SEALED: Final = re.compile(
    rb'(?P<content>\{"number":(?P<number>[1-9][0-9]{0,17}),.*'
    rb',"previous":"(?P<previous>[0-9a-f]{64})"),"hash":"(?P<hash>[0-9a-f]{64})"\}\n',
    re.DOTALL,
)


class Event(Enum):
    """What a record tells."""

    BEGIN = "begin"
    END = "end"
    REFUSED = "refused"
    TORN = "torn"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be recorded; `members` is a part of the record as JSON: `"call":{...}`."""

    event: Event
    members: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """A record whose hash fits it. `members` are the ones between `event` and `previous`."""

    number: int
    event: Event
    members: Mapping[str, JsonValue]
    previous: str
    hash: str


def draft_begin(call: Mapping[str, JsonValue]) -> Draft:
    """Raises JsonError."""
    return Draft(Event.BEGIN, b'"call":' + encode_json(dict(call)))


def draft_end(number: int, call: Mapping[str, JsonValue]) -> Draft:
    """Raises JsonError."""
    return Draft(Event.END, b'"of":%d,"call":%b' % (number, encode_json(dict(call))))


def draft_refused(call: Mapping[str, JsonValue]) -> Draft:
    """Raises JsonError."""
    return Draft(Event.REFUSED, b'"call":' + encode_json(dict(call)))


def draft_torn(left: bytes) -> Draft:
    """For the bytes that a crash left behind."""
    return Draft(
        Event.TORN, b'"bytes":%d,"sha256":"%b"' % (len(left), sha256(left).hexdigest().encode())
    )


def says_torn(record: Record, lines: bytes) -> bool:
    """Whether a record stands for what is in these lines, the last of them with its mark."""
    left = lines.removesuffix(TORN_MARK)
    return (
        record.event is Event.TORN
        and left != lines
        and dict(record.members) == {"bytes": len(left), "sha256": sha256(left).hexdigest()}
    )


def seal(draft: Draft, number: int, previous: str) -> tuple[bytes, str]:
    """The line of a record, with its end, and its hash."""
    time = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    content = b'{"number":%d,"time":"%b","event":"%b",%b,"previous":"%b"' % (
        number,
        time.encode(),
        draft.event.value.encode(),
        draft.members,
        previous.encode(),
    )
    own = sha256(content + b"}").hexdigest()
    return b'%b,"hash":"%b"}\n' % (content, own.encode()), own


def read_record(line: bytes) -> Record | None:
    """The record of a line with its end; None for anything that `seal` has not written so."""
    sealed = _SEALED.fullmatch(line)
    if sealed is None:
        return None
    own = sealed["hash"].decode()
    if sha256(sealed["content"] + b"}").hexdigest() != own:
        return None
    try:
        document = decode_json(sealed["content"] + b"}")
        assert isinstance(document, dict)
        event = Event(document.pop("event"))
    except (JsonError, KeyError, ValueError):
        return None
    for name in ("number", "time", "previous"):
        document.pop(name, None)
    number, previous = int(sealed["number"]), sealed["previous"].decode()
    return Record(number, event, document, previous, own)
