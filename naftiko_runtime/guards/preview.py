"""What an upstream says would come of a request, for the person who has to approve it."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import Final

from naftiko_runtime.consumes.echoes import without_secrets
from naftiko_runtime.consumes.messages import UpstreamResponse, Upstreams
from naftiko_runtime.failures import CallFailed
from naftiko_runtime.json_codec import JsonError, decode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.operation import UpstreamRequest

_log = logging.getLogger("naftiko.guards")

_PATIENCE: Final = 10.0
_LONGEST: Final = 64 * 1024
_LONGEST_TEXT: Final = 2000


async def preview_of(request: UpstreamRequest, path: str, upstreams: Upstreams) -> JsonValue:
    """What the upstream answers to the same body at the path with `path` appended. Never raises
    for what can go wrong: then it says that there is no preview, and why."""
    base, mark, query = request.url.partition("?")
    asked = replace(
        request, method="POST", url=f"{base.rstrip('/')}/{path.lstrip('/')}{mark}{query}"
    )
    try:
        response = await asyncio.wait_for(upstreams.send(asked), _PATIENCE)
    except TimeoutError:
        return {"error": "the upstream did not answer in time"}
    except CallFailed as failed:
        return {"error": failed.failure.detail}
    except Exception:
        _log.exception("a preview failed")
        return {"error": "the preview failed"}
    shown = _shown(response, request.secrets)
    return shown if 200 <= response.status < 300 else {"status": response.status, "answer": shown}


def _shown(response: UpstreamResponse, secrets: tuple[str, ...]) -> JsonValue:
    body = without_secrets(response.body, secrets)
    if len(body) <= _LONGEST:
        try:
            return decode_json(body)
        except JsonError:
            pass
    return body[:_LONGEST_TEXT].decode("utf-8", "replace")
