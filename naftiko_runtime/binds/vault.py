"""Variables from the key-value secrets of HashiCorp Vault: `vault://MOUNT/PATH`, as in
`vault kv get MOUNT/PATH`.

Both versions of the engine are read; the `data/` that the HTTP API has in the paths of version 2
may be given or not. The settings are those of Vault's own programs: VAULT_ADDR, VAULT_TOKEN,
VAULT_NAMESPACE and VAULT_CACERT (a file of authorities beside those of the system). Certificates
are always verified. All secrets of one load have to arrive in SECONDS together; each is asked for
once, and a server that did not answer is not asked again for a while.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from naftiko_runtime.binds.deadline import within
from naftiko_runtime.binds.source import BindSourceError
from naftiko_runtime.json_codec import JsonError, decode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

if TYPE_CHECKING:
    import httpx2

SECONDS = 5.0
"""How long all secrets of one load may take."""
SILENCE_SECONDS = 30.0
"""How long a server that did not answer is left alone, so that many files do not each wait."""

_LIMIT = 1024 * 1024
_ENGINES = frozenset({"kv", "generic"})
_silent: dict[str, float] = {}
"""Until when (monotonic clock) a server is left alone, by its address."""


class _Unanswered(Exception):
    """The server cannot be reached, or what it says cannot be used; the message says how."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class _Server:
    """Where Vault is and how it is asked. `shown` is its address without what is nobody's
    business."""

    address: str
    shown: str
    headers: Mapping[str, str]
    context: ssl.SSLContext


class Vault:
    """The secrets of one load, each read once."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._answers: dict[str, Mapping[str, JsonValue] | _Unanswered] = {}
        self._left = SECONDS

    def read(self, location: str) -> Mapping[str, JsonValue]:
        """The keys and values of the secret at a location. Raises BindSourceError."""
        path = _path_of(location)
        server = _server(location, self._variables)
        if path not in self._answers:
            self._answers[path] = self._ask(server, path)
        answer = self._answers[path]
        if isinstance(answer, _Unanswered):
            raise BindSourceError(
                f'"{location}"',
                f"cannot be read from Vault at {server.shown}: {answer}",
                answer.remedy or "check VAULT_ADDR and whether it runs",
            )
        return answer

    def _ask(self, server: _Server, path: str) -> Mapping[str, JsonValue] | _Unanswered:
        started = time.monotonic()
        if self._left <= 0 or _silent.get(server.address, 0) > started:
            return _Unanswered("it did not answer in time before")
        try:
            return within(self._left, lambda: _read(server, path))
        except TimeoutError:
            _silent[server.address] = time.monotonic() + SILENCE_SECONDS
            return _Unanswered(f"it did not answer within {SECONDS:g} s")
        except _Unanswered as error:
            return error
        finally:
            self._left -= time.monotonic() - started


# --- settings -----------------------------------------------------------------------------


def _path_of(location: str) -> str:
    """`MOUNT/PATH`, percent-encoded for a URL. Raises BindSourceError."""
    remedy = "write vault://MOUNT/PATH"
    parts = urlsplit(location)
    segments = [unquote(part) for part in (parts.netloc + parts.path).rstrip("/").split("/")]
    if parts.query or parts.fragment or len(segments) < 2:
        raise BindSourceError(f'"{location}"', "names no secret", remedy)
    if any(segment in ("", ".", "..") or not segment.isprintable() for segment in segments):
        raise BindSourceError(f'"{location}"', "is no path of a secret", remedy)
    return "/".join(quote(segment, safe="") for segment in segments)


def _server(location: str, variables: Mapping[str, str]) -> _Server:
    """Raises BindSourceError."""
    address = _setting("VAULT_ADDR", location, variables).rstrip("/")
    token = _setting("VAULT_TOKEN", location, variables)
    namespace = variables.get("VAULT_NAMESPACE", "").strip()
    if not (token + namespace).isascii() or not (token + namespace).isprintable():
        message = "cannot be read from Vault: its token or namespace cannot stand in a header"
        raise BindSourceError(f'"{location}"', message, "check VAULT_TOKEN and VAULT_NAMESPACE")
    try:
        parts = urlsplit(address)
        shown = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        usable = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        message = "cannot be read from Vault: VAULT_ADDR is no address of a server"
        raise BindSourceError(f'"{location}"', message, "set it to https://HOST:8200")
    headers = {"x-vault-token": token, "x-vault-request": "true", "accept-encoding": "identity"}
    if namespace:
        headers["x-vault-namespace"] = namespace
    return _Server(address, shown, headers, _context(location, parts.scheme, variables))


def _setting(name: str, location: str, variables: Mapping[str, str]) -> str:
    value = variables.get(name, "").strip()
    if not value:
        message = f"cannot be read from Vault: the variable {name} is not set"
        raise BindSourceError(f'"{location}"', message, f"set {name} in the environment")
    return value


def _context(location: str, scheme: str, variables: Mapping[str, str]) -> ssl.SSLContext:
    """Accepts what the system's authorities and those of VAULT_CACERT vouch for; without TLS, a
    context that accepts nothing and costs nothing to make."""
    if scheme != "https":
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    import httpx2

    context = httpx2.create_ssl_context()
    file = variables.get("VAULT_CACERT", "").strip()
    try:
        if file:
            context.load_verify_locations(cafile=file)
    except OSError:
        message = f'cannot be read from Vault: VAULT_CACERT "{file}" is no file of certificates'
        raise BindSourceError(f'"{location}"', message, "name a PEM file") from None
    return context


# --- questions ----------------------------------------------------------------------------


async def _read(server: _Server, path: str) -> Mapping[str, JsonValue]:
    """The secret at a path. Raises _Unanswered."""
    import httpx2

    client = httpx2.AsyncClient(
        verify=server.context,
        headers=dict(server.headers),
        timeout=SECONDS,
        trust_env=False,
        follow_redirects=False,
    )
    try:
        async with client:
            mount = await _mount(client, server, path)
            answered = False
            for candidate, is_second in _candidates(path, mount):
                status, document = await _get(client, server, candidate)
                secret = _secret(document, is_second)
                if secret is not None:
                    return secret
                if status not in (200, 404):
                    raise _refused(status)
                answered |= status == 200
    except httpx2.TimeoutException:
        raise TimeoutError from None
    except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError) as error:
        raise _unreachable(error) from None
    if answered:
        raise _Unanswered("its answer holds no secret", "check VAULT_ADDR and the path")
    raise _Unanswered(
        "it has no such secret, or the latest version of it is deleted",
        "write vault://MOUNT/PATH, and put the secret there",
    )


def _unreachable(error: Exception) -> _Unanswered:
    import httpx2

    reason = str(error).partition("\n")[0] or type(error).__name__
    if "CERTIFICATE_VERIFY_FAILED" in reason:
        remedy = "name a file with the certificate of its authority in VAULT_CACERT"
        return _Unanswered("its certificate is not trusted", remedy)
    if isinstance(error, httpx2.ConnectError):
        return _Unanswered(f"it cannot be reached: {reason}")
    return _Unanswered("it breaks off, or does not speak HTTP")  # the reason may quote its answer


async def _mount(client: httpx2.AsyncClient, server: _Server, path: str) -> tuple[str, str] | None:
    """The mount that a path is under and the version of its engine, None where the server does not
    say."""
    status, document = await _get(client, server, f"sys/internal/ui/mounts/{path}")
    data = document.get("data") if status == 200 else None
    if not isinstance(data, dict) or not isinstance(data.get("path"), str):
        return None
    if data.get("type") not in _ENGINES:
        raise _Unanswered("there is no engine of key-value secrets at that mount")
    options = data.get("options")
    version = options.get("version") if isinstance(options, dict) else None
    return str(data["path"]).strip("/"), str(version or "1")


def _candidates(path: str, mount: tuple[str, str] | None) -> list[tuple[str, bool]]:
    """Where the HTTP API may have the secret, best first, and whether it is of version 2, which
    puts it one level deeper. Of a mount that is not known, both versions are tried."""
    name, versions = path.partition("/")[0], {"1", "2"}
    if mount is not None and path.startswith(f"{mount[0]}/"):
        name, versions = mount[0], {mount[1]}
    rest = path[len(name) + 1 :]
    found: list[tuple[str, bool]] = []
    if "2" in versions:
        if rest.startswith("data/"):
            found.append((path, True))
        found.append((f"{name}/data/{rest}", True))
    if "1" in versions:
        found.append((path, False))
    return found


async def _get(
    client: httpx2.AsyncClient, server: _Server, path: str
) -> tuple[int, Mapping[str, JsonValue]]:
    """A status, and the document where it is 200. Raises _Unanswered."""
    async with client.stream("GET", f"{server.address}/v1/{path}") as response:
        if response.status_code != 200:
            return response.status_code, {}
        content = b""
        async for chunk in response.aiter_bytes():
            content += chunk
            if len(content) > _LIMIT:
                raise _Unanswered("its answer is larger than 1 MiB")
    try:
        document = decode_json(content)
    except JsonError:
        document = None
    if not isinstance(document, dict):
        raise _Unanswered("its answer is not Vault's", "check VAULT_ADDR")
    return 200, document


def _secret(document: Mapping[str, JsonValue], is_second: bool) -> Mapping[str, JsonValue] | None:
    """The keys and values in an answer, None where they are not. Version 2 of the engine has them
    one level deeper, beside what it knows of them."""
    data = document.get("data")
    if not is_second:
        return data if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("metadata"), dict):
        return None
    inner = data.get("data")
    return inner if isinstance(inner, dict) else None


def _refused(status: int) -> _Unanswered:
    if status in (401, 403):
        return _Unanswered(
            f"it refuses the token (status {status})",
            "give VAULT_TOKEN a token that has not expired and may read the path; check "
            "VAULT_NAMESPACE",
        )
    if 300 <= status < 400:
        return _Unanswered(
            f"it sends callers to another server (status {status})",
            "set VAULT_ADDR to that one, since tokens go to no server that was not named",
        )
    if status == 503:
        return _Unanswered("it is sealed or being maintained (status 503)", "unseal it")
    return _Unanswered(f"it answered with status {status}")
