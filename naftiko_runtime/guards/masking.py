"""What may be shown of a request: everything but the credentials in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote, quote_plus, unquote_plus

from naftiko_runtime.json_values import JsonValue

MASK: Final = "***"
CREDENTIAL_HEADERS: Final = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-api-key"}
)

_SURE: Final = 4
"""Shorter credentials are only found where they are a whole value: they would match by chance."""


def masked_text(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if secret and text == secret:
            return MASK
        if len(secret) >= _SURE:
            text = text.replace(secret, MASK)
    return text


def masked_value(value: JsonValue, secrets: tuple[str, ...]) -> JsonValue:
    """A value without credentials, in texts and in names."""
    if not secrets:
        return value
    if isinstance(value, str):
        return masked_text(value, secrets)
    if isinstance(value, list):
        return [masked_value(item, secrets) for item in value]
    if isinstance(value, dict):
        return {
            masked_text(name, secrets): masked_value(item, secrets) for name, item in value.items()
        }
    return value


def masked_url(url: str, secrets: Iterable[str]) -> str:
    """A URL without credentials, however they are encoded in it."""
    known = [secret for secret in secrets if secret]
    base, mark, query = url.partition("?")
    pairs = [_masked_pair(pair, known) for pair in query.split("&")]
    written = {text for secret in known for text in (secret, quote(secret, safe=""))}
    return masked_text(base, sorted(written, key=len, reverse=True)) + mark + "&".join(pairs)


def _masked_pair(pair: str, secrets: Iterable[str]) -> str:
    name, equals, value = pair.partition("=")
    given = unquote_plus(value)
    shown = masked_text(given, secrets)
    return pair if shown == given else name + equals + quote_plus(shown, safe="*")


def masked_headers(
    headers: Iterable[tuple[str, str]], secrets: tuple[str, ...]
) -> Mapping[str, JsonValue]:
    """Headers by their names in lower case; those that hold credentials say nothing. Of several of
    one name the values are joined (RFC 9110, section 5.3)."""
    shown: dict[str, JsonValue] = {}
    for given, value in headers:
        name = given.lower()
        hidden = name in CREDENTIAL_HEADERS or any(s and s in value for s in secrets)
        text = MASK if hidden else value
        shown[name] = f"{shown[name]}, {text}" if name in shown else text
    return shown
