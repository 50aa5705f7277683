"""/status, /config and /scripting: what is running, and how it is set up."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko_runtime.exposes.control.health import describe_adapters
from naftiko_runtime.exposes.control.management import Management
from naftiko_runtime.exposes.endpoints import Handler, Request, json_reply
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.json_values import JsonValue


def show_status(process: Management, file: str) -> Handler:
    async def answer(request: Request) -> Reply:
        adapters = describe_adapters(process.adapters())
        return json_reply({**process.status(file), "adapters": adapters})

    return answer


def show_config(process: Management) -> Handler:
    async def answer(request: Request) -> Reply:
        return json_reply(process.config())

    return answer


def show_scripting(settings: Mapping[str, JsonValue]) -> Handler:
    """The settings of scripts as the file gives them, with the defaults of the schema."""

    async def answer(request: Request) -> Reply:
        return json_reply({**settings})

    return answer
