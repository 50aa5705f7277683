"""/health/live and /health/ready, for those who start and stop processes."""

from __future__ import annotations

from collections.abc import Iterable

from naftiko_runtime.exposes.control.management import AdapterState, Management
from naftiko_runtime.exposes.endpoints import Handler, Request, json_reply
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.json_values import JsonValue


async def live(request: Request) -> Reply:
    """Whoever can answer is alive."""
    return json_reply({"status": "UP"})


def ready(management: Management) -> Handler:
    """Whether every adapter that the files declare is being served."""

    async def answer(request: Request) -> Reply:
        states = management.adapters()
        is_up = all(state.is_up for state in states)
        document: JsonValue = {
            "status": "UP" if is_up else "DEGRADED",
            "adapters": describe_adapters(states),
        }
        return json_reply(document, 200 if is_up else 503)

    return answer


def describe_adapters(states: Iterable[AdapterState]) -> JsonValue:
    return [
        {
            "type": state.type,
            "namespace": state.namespace,
            "port": state.port,
            "state": "UP" if state.is_up else "DOWN",
            "capability": state.capability,
        }
        for state in states
    ]
