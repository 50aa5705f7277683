"""Why a port cannot be opened, in words that help."""

from __future__ import annotations

import errno
import socket

import pytest

from naftiko_runtime.serving.sockets import PortUnavailable, open_socket


def refused(address: str, port: int, declared: int) -> PortUnavailable:
    with pytest.raises(PortUnavailable) as caught:
        open_socket(address, port, declared)
    return caught.value


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EACCES, "port 80 may not be opened without special rights"),
        (errno.EADDRINUSE, "port 80 is in use by another process"),
    ],
)
def test_a_remedy_names_the_option_and_the_declared_port(
    monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def bind(self: socket.socket, address: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(socket.socket, "bind", bind)
    problem = refused("127.0.0.1", 80, 8000)
    assert problem.reason == reason
    assert problem.remedy.endswith("--port 8000=8080")


def test_a_port_that_another_socket_listens_on_is_in_use() -> None:
    with open_socket("127.0.0.1", 0, 8080) as first:
        port = first.getsockname()[1]
        assert (
            refused("127.0.0.1", port, 8080).reason == f"port {port} is in use by another process"
        )


@pytest.mark.parametrize("address", ["192.0.2.1", "no.such.host.invalid", "..", "300.1.1.1"])
def test_an_address_that_is_not_here_is_named(address: str) -> None:
    assert refused(address, 0, 8080).reason == f'"{address}" is not an address of this machine'


@pytest.mark.parametrize("address", ["127.0.0.1", "localhost", "::1"])
def test_loopback_can_be_written_in_all_ways(address: str) -> None:
    if address == "::1" and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    with open_socket(address, 0, 8080) as opened:
        assert opened.getsockname()[0] == address.replace("localhost", "127.0.0.1")
