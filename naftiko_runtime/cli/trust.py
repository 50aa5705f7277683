"""Keep a server's certificate, for its host and port alone.

A server on your own machine, such as the Client Portal Gateway on https://localhost:5000, often
shows a certificate that no authority vouches for. This command shows it, and keeps it when you
confirm; calls to that host and port then accept this one certificate and no other. Compare the
fingerprint with the server's own where you can.

A certificate that has expired, or is not valid yet, is kept for a loopback address only: there
nobody is in between, and its dates often cannot be mended.

examples:
  naftiko trust https://localhost:5000                       look at it, then confirm
  naftiko trust https://localhost:5000 --fingerprint AB:CD:...   confirm in a script
  naftiko trust https://localhost:5000 --forget              stop trusting it
  naftiko trust --list                                       what is kept
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from naftiko_runtime.cli.options import UsageError

if TYPE_CHECKING:
    from naftiko_runtime.consumes.addresses import Address
    from naftiko_runtime.consumes.trust import Certificate, TrustStore

_FETCH_SECONDS = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", nargs="?", metavar="URL", help="the server: https://host[:port]")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--yes", action="store_true", help="keep it without asking")
    action.add_argument(
        "--fingerprint",
        metavar="SHA256",
        help="keep it without asking if it has this fingerprint, else fail",
    )
    action.add_argument("--forget", action="store_true", help="no longer trust what is kept")
    action.add_argument("--list", action="store_true", help="show everything that is kept")


def run(arguments: argparse.Namespace) -> int:
    from naftiko_runtime.consumes.trust import TrustStore

    store = TrustStore.default()
    try:
        if arguments.list:
            return _list(store)
        address = _read_address(arguments.url)
        if arguments.forget:
            return _forget(store, address)
        return _trust(store, address, arguments)
    except ValueError as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        return _fail(f'the folder "{store.folder}" cannot be used: {error.strerror}')


def _read_address(url: str | None) -> Address:
    from naftiko_runtime.consumes.addresses import AddressError, split_url

    if url is None:
        raise UsageError("say which server: naftiko trust https://localhost:5000")
    try:
        address, _ = split_url(url if "://" in url else f"https://{url}")
    except AddressError as error:
        raise UsageError(f'"{url}" is no address of a server: {error}') from error
    if address.scheme != "https":
        raise UsageError(f'"{url}" is plain HTTP, which has no certificate - try https://')
    return address


def _list(store: TrustStore) -> int:
    from naftiko_runtime.consumes.trust import read_certificate

    kept = list(store.kept())
    if not kept:
        print(f"no certificates are kept in {store.folder}")
    for entry in kept:
        place = f"[{entry.host}]" if ":" in entry.host else entry.host
        print(f"https://{place}:{entry.port}")
        try:
            _show(read_certificate(entry.pem))
        except ValueError as error:
            print(f"  {error}: {store.file(entry.host, entry.port)}")
    return 0


def _forget(store: TrustStore, address: Address) -> int:
    if not store.forget(address.host, address.port):
        return _fail(f"nothing is kept for {address.origin}")
    print(f"forgotten: the certificate of {address.origin}")
    return 0


def _trust(store: TrustStore, address: Address, arguments: argparse.Namespace) -> int:
    from naftiko_runtime.consumes.trust import FetchError, fetch_certificate

    expected = None if arguments.fingerprint is None else _plain(arguments.fingerprint)
    try:
        certificate = fetch_certificate(address.host, address.port, _FETCH_SECONDS)
    except FetchError as error:
        return _fail(f"{address.origin} showed no certificate: {error}")
    print(f"certificate of {address.origin}")
    _show(certificate)
    if expected is not None and expected != _plain(certificate.fingerprint):
        return _fail("its fingerprint is not the one given: not kept")
    if store.find(address.host, address.port) == certificate.pem:
        print("it is kept already")
        return 0
    if (refusal := _refusal(certificate, address)) is not None:
        return _fail(refusal)
    _warn(store, certificate, address)
    if expected is None and not arguments.yes and not _confirmed(address):
        return _fail("not kept")
    store.pin(address.host, address.port, certificate.pem)
    print(f"kept: calls to {address.origin} accept this certificate alone")
    return 0


def _plain(fingerprint: str) -> str:
    """A SHA-256 fingerprint without what people put around and between its digits."""
    digits = fingerprint.strip().lower().removeprefix("sha256:").replace(":", "").replace(" ", "")
    if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise UsageError(f'"{fingerprint}" is not a SHA-256 fingerprint (64 hexadecimal digits)')
    return digits


def _show(certificate: Certificate) -> None:
    issuer = "itself (self-signed)" if certificate.self_signed else certificate.issuer
    print(f"  SHA-256   {certificate.fingerprint}")
    print(f"  subject   {certificate.subject or '(none)'}")
    print(f"  signed by {issuer}")
    print(f"  for       {', '.join(certificate.names) or '(names no host)'}")
    print(
        f"  valid     {certificate.not_before:%Y-%m-%d} to {certificate.not_after:%Y-%m-%d}"
        f" ({_validity(certificate)})"
    )


def _validity(certificate: Certificate) -> str:
    now = datetime.now(UTC)
    if now < certificate.not_before:
        return "not valid yet"
    if now > certificate.not_after:
        return "expired"
    return f"{(certificate.not_after - now).days} days left"


def _is_timely(certificate: Certificate) -> bool:
    return certificate.not_before <= datetime.now(UTC) <= certificate.not_after


def _refusal(certificate: Certificate, address: Address) -> str | None:
    """Why a certificate may not be kept whatever the user says."""
    from naftiko_runtime.consumes.tls import is_loopback

    if _is_timely(certificate) or is_loopback(address.host):
        return None
    return (
        f"it is {_validity(certificate)}, which only a loopback address may be: not kept - renew "
        "the certificate on the server, or set this machine's clock"
    )


def _warn(store: TrustStore, certificate: Certificate, address: Address) -> None:
    """What the user should know before confirming."""
    if not _is_timely(certificate):
        print(f"note: it is {_validity(certificate)}; its dates will not be looked at")
    if not certificate.self_signed:
        print("note: another signed it; once it is renewed, the new one has to be kept as well")
    if store.find(address.host, address.port) is not None:
        print(f"note: it differs from the one kept for {address.origin} and would replace it")


def _confirmed(address: Address) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("no terminal to ask on - confirm with --fingerprint SHA256, or --yes")
    try:
        answer = input(f"keep it for {address.origin} and nothing else? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _fail(message: str) -> int:
    print(f"naftiko trust: {message}", file=sys.stderr)
    return 1
