"""Answers that are kept for a while (`keep` of a call step), so that calls which need the same do
not ask an upstream again and again."""

from __future__ import annotations

import asyncio
import time
from dataclasses import field
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

from naftiko_runtime.consumes.messages import UpstreamResponse, Upstreams
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.calls import Shelf, UpstreamRequest
from naftiko_runtime.plan.step_plans import Keeping

_MOST: Final = 256
"""Answers of one capability; beyond it those are dropped whose time is over, or else all."""

_Key: TypeAlias = tuple[object, ...]


@dataclass(slots=True)
class _Kept:
    """The answer to one request. Who holds `lock` asks the upstream; the others wait for him."""

    until: float = 0.0
    response: UpstreamResponse | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


_SHELVES: WeakKeyDictionary[Shelf, dict[_Key, _Kept]] = WeakKeyDictionary()


async def send_or_recall(
    keeping: Keeping, request: UpstreamRequest, upstreams: Upstreams
) -> UpstreamResponse:
    """The answer to an equal request, credentials included, that is young enough; else the
    upstream's, which is kept unless it is an error."""
    kept = _kept_for(keeping.shelf, request)
    async with kept.lock:
        if kept.response is not None and time.monotonic() < kept.until:
            return kept.response
        kept.response = None
        response = await upstreams.send(request)
        if 200 <= response.status < 300:
            kept.response, kept.until = response, time.monotonic() + keeping.seconds
        return response


def _kept_for(shelf: Shelf, request: UpstreamRequest) -> _Kept:
    rows = _SHELVES.setdefault(shelf, {})
    headers, secrets = tuple(request.headers), tuple(request.secrets)
    key = (request.method, request.url, headers, request.content, secrets)
    if key not in rows and len(rows) >= _MOST:
        _clear(rows)
    return rows.setdefault(key, _Kept())


def _clear(rows: dict[_Key, _Kept]) -> None:
    now = time.monotonic()
    for key in [key for key, kept in rows.items() if kept.until < now and not kept.lock.locked()]:
        del rows[key]
    if len(rows) >= _MOST:
        rows.clear()
