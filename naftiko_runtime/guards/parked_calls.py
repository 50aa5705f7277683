"""Parked calls as bytes in a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from naftiko_runtime.guards.approval import Decision, ParkedCall
from naftiko_runtime.json_codec import JsonError, decode_json, encode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.origin import Origin


class BadRecord(Exception):
    """Bytes in the store are no parked call: something else has written them."""


def write_call(call: ParkedCall) -> bytes:
    """The same bytes for the same call, always: they are compared."""
    document = asdict(call)
    document["decision"] = call.decision.value
    return encode_json(document)


def read_call(data: bytes) -> ParkedCall:
    """Raises BadRecord."""
    try:
        document = decode_json(data)
        if not isinstance(document, dict):
            raise BadRecord
        return _call_of(document)
    except (JsonError, KeyError, TypeError, ValueError) as error:
        raise BadRecord from error


def _call_of(document: Mapping[str, JsonValue]) -> ParkedCall:
    origin = _object(document["origin"])
    return ParkedCall(
        id=_text(document["id"]),
        origin=Origin(_text(origin["protocol"]), _text(origin["principal"])),
        capability=_text(document["capability"]),
        name=_text(document["name"]),
        operation=_text(document["operation"]),
        request=_object(document["request"]),
        arguments=_object(document["arguments"]),
        until=_number(document["until"]),
        expires=_number(document["expires"]),
        preview=document["preview"],
        decision=Decision(document["decision"]),
        by=_text(document["by"]),
    )


def _text(value: JsonValue) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _number(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _object(value: JsonValue) -> Mapping[str, JsonValue]:
    if not isinstance(value, dict):
        raise TypeError
    return value
