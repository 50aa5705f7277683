"""The operator's words for where state is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.state.addresses import StateAddressError, read_redis_address
from naftiko_runtime.state.memory import MemoryStore
from naftiko_runtime.state.opening import open_store


@pytest.mark.anyio
async def test_memory_is_a_place() -> None:
    store = open_store(Secret("memory"))
    assert isinstance(store, MemoryStore)
    await store.aclose()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://localhost", "redis://localhost:6379/0"),
        ("redis://localhost/", "redis://localhost:6379/0"),
        ("redis://:pw@10.0.0.1:7000/2", "redis://10.0.0.1:7000/2"),
        ("rediss://user:pw@[::1]:7000/15", "rediss://[::1]:7000/15"),
        ("unix:///run/redis.sock", "unix:///run/redis.sock?db=0"),
        ("unix://:pw@/run/redis.sock?db=3", "unix:///run/redis.sock?db=3"),
        ("rediss://host?ssl_ca_certs=/etc/ca.pem", "rediss://host:6379/0"),
    ],
)
def test_an_address_is_shown_without_who_logs_in(text: str, shown: str) -> None:
    assert read_redis_address(text).shown == shown


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "none of a Redis server"),
        ("Memory", "none of a Redis server"),
        ("http://localhost:6379", "none of a Redis server"),
        ("redis:///0", "none of a Redis server"),
        ("redis://:pw#word@localhost", "none of a Redis server|cannot be read"),
        ("redis://:pw/word@localhost", "cannot be read"),
        ("redis://localhost:port", "cannot be read"),
        ("redis://localhost:70000", "cannot be read"),
        ("redis://[::1", "cannot be read"),
        ("redis://localhost/orders", "is a number"),
        ("unix://", "none of a Redis server"),
        ("unix:///run/redis.sock?db=a", "is a number"),
        ("redis://localhost?socket_timeout=900", "socket_timeout"),
        ("rediss://localhost?ssl_cert_reqs=none", "ssl_cert_reqs"),
        ("redis://localhost?ssl_ca_certs=/etc/ca.pem", "ssl_ca_certs"),
    ],
)
def test_what_is_no_address_is_refused_with_the_remedy(text: str, complaint: str) -> None:
    with pytest.raises(StateAddressError, match=complaint):
        open_store(Secret(text))


@given(st.text(alphabet="abc:/@#?[]%. ", max_size=20))
def test_a_password_is_never_shown(text: str) -> None:
    shown = ""
    try:
        shown = read_redis_address(f"redis://:hunter2{text}@localhost/x").shown
    except StateAddressError as error:
        shown = str(error)
    assert "hunter2" not in shown
