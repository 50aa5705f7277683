"""An answer as content of the protocol: text, or bytes in base64."""

from __future__ import annotations

import base64

from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.lazy_dataclasses import dataclass

ANSWER_URI = "naftiko:answer"
"""What an answer that is neither text, picture nor sound goes by: such content needs a URI."""


@dataclass(frozen=True, slots=True)
class Media:
    """An answer that is no text, in base64."""

    content_type: str
    data: str


def content_of(answer: Answer) -> str | Media | None:
    """The body, letter by letter; None for an empty one."""
    if answer.status == 204 or not answer.body:
        return None
    text = text_of(answer)
    if text is not None:
        return text
    content_type, _ = media_type_of(answer)
    return media(content_type or "application/octet-stream", answer.body)


def media(content_type: str, body: bytes) -> Media:
    return Media(content_type, base64.b64encode(body).decode("ascii"))


def text_of(answer: Answer) -> str | None:
    """The body as text; None where it is none. JSON is UTF-8 whatever it says (RFC 8259)."""
    content_type, charset = media_type_of(answer)
    if content_type.startswith(("image/", "audio/", "video/")):
        return None
    try:
        text = answer.body.decode(charset)
        if charset != "utf-8":
            text.encode()  # some codecs make half surrogate pairs, which cannot be written
        return text
    except (ValueError, LookupError):
        return None


def media_type_of(answer: Answer) -> tuple[str, str]:
    """Media type in lower case, and charset; text is UTF-8 unless it says otherwise."""
    essence, _, parameters = (answer.content_type or "").partition(";")
    essence = essence.strip().lower()
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and not essence.endswith("json"):
            return essence, value.strip().strip('"')
    return essence, "utf-8"
