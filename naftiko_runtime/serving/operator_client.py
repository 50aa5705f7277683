"""Asks the processes of this user what waits for a person, and tells them what was decided."""

from __future__ import annotations

import http.client
import urllib.request
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from naftiko_runtime.json_codec import JsonError, decode_json, encode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.serving.handles import Handle, HandleError, find_handles

_PATIENCE: Final = 10.0
_LARGEST: Final = 64 * 2**20


class OperatorError(Exception):
    """No process can be asked; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class WaitingCall:
    """A call that waits at a process. `document` is all that it says of it."""

    id: str
    document: Mapping[str, JsonValue]
    handle: Handle


def waiting_calls() -> list[WaitingCall]:
    """The calls that wait at any process of this user, each once though several processes share
    their state. Raises OperatorError when none can be asked."""
    try:
        handles = find_handles()
    except HandleError as error:
        raise OperatorError(str(error)) from None
    found: dict[str, WaitingCall] = {}
    faults = []
    for handle in handles:
        try:
            answer = _ask(handle, "GET", "/operator/calls")
        except OSError as error:
            faults.append(f"process {handle.pid} does not answer at {handle.address}: {error}")
            continue
        listed = answer.get("calls")
        for document in listed if isinstance(listed, list) else ():
            assert isinstance(document, dict)
            call = WaitingCall(str(document["id"]), document, handle)
            found.setdefault(call.id, call)
    if len(faults) == len(handles):
        raise OperatorError("; ".join(faults) or _NOBODY)
    return list(found.values())


def decide(call: WaitingCall, *, approve: bool) -> bool:
    """Tells the process; False when it was too late. Raises OperatorError."""
    path = f"/operator/calls/{quote(call.id, safe='')}"
    try:
        return _ask(call.handle, "POST", path, {"approve": approve}).get("noted") is True
    except OSError as error:
        raise OperatorError(f"the process does not answer any more: {error}") from None


_NOBODY: Final = (
    "no process of yours runs on this machine that asks for approvals - start it with "
    '"naftiko serve" as the same user, with settings in which a guard says "approve"'
)


def _ask(handle: Handle, method: str, path: str, body: JsonValue = None) -> Mapping[str, JsonValue]:
    """Raises OSError for anything but a JSON object with status 200."""
    request = urllib.request.Request(  # noqa: S310 - the address is from our own file
        handle.address + path,
        data=None if body is None else encode_json(body),
        method=method,
        headers={"authorization": f"Bearer {handle.key}", "content-type": "application/json"},
    )
    # No proxy may see the key
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_PATIENCE) as response:
            value = decode_json(response.read(_LARGEST))
    except (http.client.HTTPException, JsonError, ValueError) as error:
        raise OSError(f"it is no process of this program ({error})") from None
    if not isinstance(value, dict):
        raise OSError("it is no process of this program")
    return value
