"""Asks OAuth authorization servers: for their metadata, keys and tokens, and about tokens.

Everything asked for is small JSON from an address that the file names, or that the server so
named gives in its metadata. Redirects are not followed, and no address comes out of a token.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote_plus, urlencode, urlsplit

from naftiko_runtime.consumes.messages import UpstreamResponse, Upstreams
from naftiko_runtime.failures import CallFailed
from naftiko_runtime.json_codec import JsonError, decode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.plan.secure_uri import UriError, check_secure_uri

_MOST_BYTES: Final = 512 * 1024
_WELL_KNOWN: Final = ("oauth-authorization-server", "openid-configuration")
_JSON: Final = ("Accept", "application/json")


class AuthorizationServerError(Exception):
    """An authorization server that gives no usable answer; the message is a sentence for an
    operator and holds no secret. `executed` is False where no request can have reached it."""

    def __init__(self, message: str, *, executed: bool = True) -> None:
        super().__init__(message)
        self.executed = executed


@dataclass(frozen=True, slots=True)
class ServerMetadata:
    """What is needed of an authorization server's metadata (RFC 8414, section 2); endpoints that
    it does not name are empty. `issuer` is spelt as the server spells it."""

    issuer: str
    jwks_uri: str = ""
    token_endpoint: str = ""
    introspection_endpoint: str = ""
    post_secrets: bool = False
    """Whether clients have to give their secret in the body, as the server takes it no other
    way."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks. Both are empty where nobody has to say so."""

    id: str = ""
    secret: str = ""


async def discover(upstreams: Upstreams, issuer: str, upstream: str) -> ServerMetadata:
    """The metadata of an issuer. `upstream` is whose TLS settings apply.

    The well-known paths are tried in order (RFC 8414, section 3.1: the path of the issuer comes
    after; OpenID Connect appends it before, and some servers do for both). Raises
    AuthorizationServerError, also when the metadata are of another issuer than the one asked.
    """
    for url in _metadata_urls(issuer):
        answer = await _send(upstreams, upstream, "GET", url, [_JSON])
        if answer.status == 200:
            return _read_metadata(_document(answer, url), issuer, url)
        if answer.status >= 500 or answer.status == 429:
            raise AuthorizationServerError(f"{url} answered {answer.status}")
    raise AuthorizationServerError(
        f"{issuer} has no metadata at /.well-known/{' or '.join(_WELL_KNOWN)} - check the issuer's "
        "address"
    )


async def fetch_json(upstreams: Upstreams, upstream: str, url: str) -> Mapping[str, JsonValue]:
    """A JSON object at a URL. Raises AuthorizationServerError."""
    answer = await _send(upstreams, upstream, "GET", url, [_JSON])
    if answer.status != 200:
        raise AuthorizationServerError(f"{url} answered {answer.status}")
    return _document(answer, url)


async def post_form(
    upstreams: Upstreams,
    upstream: str,
    url: str,
    fields: Sequence[tuple[str, str]],
    client: Client,
    *,
    post_secret: bool = False,
) -> tuple[int, Mapping[str, JsonValue]]:
    """Status and JSON object that a form is answered with, for 200 and 400 to 499 (without a
    document for an error that has none). Raises AuthorizationServerError."""
    headers = [_JSON, ("Content-Type", "application/x-www-form-urlencoded")]
    form = list(fields)
    if client.id and (post_secret or not client.secret):
        form.append(("client_id", client.id))
        form += [("client_secret", client.secret)] if client.secret else []
    elif client.id:
        # RFC 6749, section 2.3.1: both parts are form-encoded before they are joined.
        pair = f"{quote_plus(client.id)}:{quote_plus(client.secret)}".encode()
        headers.append(("Authorization", f"Basic {base64.b64encode(pair).decode()}"))
    answer = await _send(upstreams, upstream, "POST", url, headers, urlencode(form).encode())
    if answer.status == 200:
        return 200, _document(answer, url)
    if 400 <= answer.status < 500:
        try:
            return answer.status, _document(answer, url)
        except AuthorizationServerError:
            return answer.status, {}
    raise AuthorizationServerError(f"{url} answered {answer.status}")


def _metadata_urls(issuer: str) -> list[str]:
    parts = urlsplit(issuer)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    inserted = [f"{origin}/.well-known/{name}{path}" for name in _WELL_KNOWN]
    appended = [f"{origin}{path}/.well-known/{name}" for name in _WELL_KNOWN]
    oauth, openid = inserted
    return list(dict.fromkeys([oauth, appended[1], appended[0], openid]))


def _read_metadata(document: Mapping[str, JsonValue], issuer: str, url: str) -> ServerMetadata:
    named = document.get("issuer")
    if not isinstance(named, str) or named.rstrip("/") != issuer.rstrip("/"):
        raise AuthorizationServerError(f"{url} holds the metadata of another issuer than {issuer}")
    methods = document.get("token_endpoint_auth_methods_supported")
    return ServerMetadata(
        issuer=named,
        jwks_uri=_endpoint(document, "jwks_uri", url),
        token_endpoint=_endpoint(document, "token_endpoint", url),
        introspection_endpoint=_endpoint(document, "introspection_endpoint", url),
        post_secrets=isinstance(methods, list)
        and "client_secret_post" in methods
        and "client_secret_basic" not in methods,
    )


def _endpoint(document: Mapping[str, JsonValue], name: str, url: str) -> str:
    value = document.get(name)
    if value is None:
        return ""
    try:
        uri = check_secure_uri(value if isinstance(value, str) else "", query=True)
        if url.lower().startswith("https:") and not uri.lower().startswith("https:"):
            raise UriError("is not encrypted, as the server's own address is")
    except UriError as error:
        raise AuthorizationServerError(f'the "{name}" that {url} names {error}') from None
    return uri


async def _send(
    upstreams: Upstreams,
    upstream: str,
    method: str,
    url: str,
    headers: Sequence[tuple[str, str]],
    content: bytes | None = None,
) -> UpstreamResponse:
    request = UpstreamRequest(upstream, "authorization server", method, url, headers, content)
    try:
        answer = await upstreams.send(request)
    except CallFailed as failed:
        failure = failed.failure
        raise AuthorizationServerError(failure.detail, executed=failure.executed) from None
    if len(answer.body) > _MOST_BYTES:
        raise AuthorizationServerError(f"{url} answered more than {_MOST_BYTES // 1024} KiB")
    return answer


def _document(answer: UpstreamResponse, url: str) -> Mapping[str, JsonValue]:
    try:
        document = decode_json(answer.body)
    except JsonError:
        document = None
    if not isinstance(document, dict):
        raise AuthorizationServerError(f"{url} answered no JSON object")
    return document
