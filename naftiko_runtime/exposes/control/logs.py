"""/logs: levels to see and to set, and the log as it is written (server-sent events)."""

from __future__ import annotations

from typing import Final

from naftiko_runtime.exposes.control.management import Logs
from naftiko_runtime.exposes.endpoints import Handler, Request, Stream, json_reply
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.exposes.rest.request_body import read_body
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.json_codec import JsonError, decode_request_json
from naftiko_runtime.json_values import JsonValue

LEVELS: Final = ("debug", "info", "warning", "error")
ROOT: Final = "naftiko"
"""The logger above all others of the process."""

_BODY_LIMIT: Final = 4096


def show_levels(logs: Logs) -> Handler:
    async def answer(request: Request) -> Reply:
        loggers: list[JsonValue] = [
            {"logger": name, "level": level} for name, level in sorted(logs.levels().items())
        ]
        return json_reply({"levels": list(LEVELS), "loggers": loggers})

    return answer


def show_level(logs: Logs) -> Handler:
    async def answer(request: Request) -> Reply:
        logger = request.segments[1]
        return json_reply({"logger": logger, "level": _level(logs, logger)})

    return answer


def set_level(logs: Logs) -> Handler:
    """For the logger that the path names, or for all of them."""

    async def answer(request: Request) -> Reply:
        logger = request.segments[1] if len(request.segments) > 1 else ROOT
        _level(logs, logger)
        level = await _wanted(request)
        logs.set_level(logger, level)
        return json_reply({"logger": logger, "level": level})

    return answer


def follow(logs: Logs, most: int) -> Handler:
    async def answer(request: Request) -> Stream:
        stream = logs.subscribe(most)
        if stream is None:
            detail = "as many callers follow the log as the file allows - try again later"
            raise fail(FailureKind.TOO_MANY_SUBSCRIBERS, detail)
        return stream

    return answer


def _level(logs: Logs, logger: str) -> str:
    level = logs.levels().get(logger)
    if level is None:
        detail = f'there is no logger "{logger[:100]}" - "/logs" lists what there is'
        raise fail(FailureKind.UNKNOWN_PATH, detail)
    return level


async def _wanted(request: Request) -> str:
    body = await read_body(request.headers, request.receive, _BODY_LIMIT)
    try:
        document = decode_request_json(body or b"")
    except JsonError as error:
        raise fail(FailureKind.INVALID_INPUT, f"the body is not JSON: {error}") from None
    level = document.get("level") if isinstance(document, dict) else None
    if not isinstance(level, str) or level.lower() not in LEVELS:
        detail = f'the body has no "level" of {", ".join(LEVELS)} - send {{"level": "debug"}}'
        raise fail(FailureKind.INVALID_INPUT, detail, field="level")
    return level.lower()
