"""The shared store against a real Redis server: the contract, and what only a server can do."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from naftiko_runtime.binds.secret import Secret
from naftiko_runtime.state.opening import open_store
from naftiko_runtime.state.store import StateStore, StateUnavailable
from tests.consumes.certificates import make_identity
from tests.redis_server import RedisServer, free_port
from tests.state.contract import StoreMachine

HOUR = 3600.0


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


def test_it_keeps_the_contract_of_all_stores(redis: RedisServer) -> None:
    class RedisMachine(StoreMachine):
        def open(self) -> StateStore:
            store = open_store(Secret(redis.url))
            self.loop.run_until_complete(_empty(store))
            return store

    steps = settings(max_examples=25, stateful_step_count=30)
    run_state_machine_as_test(RedisMachine, settings=steps)


async def _empty(store: StateStore) -> None:
    for key in await store.keys(""):
        assert await store.replace(key, await store.get(key), None, HOUR)


@pytest.mark.anyio
async def test_values_end_when_their_time_is_over(redis: RedisServer) -> None:
    store = open_store(Secret(redis.url))
    try:
        assert await store.replace("short", None, b"1", 0.05)
        assert await store.replace("long", None, b"1", 60)
        while await store.get("short") is not None:
            await asyncio.sleep(0.01)
        assert "short" not in await store.keys("")
        assert await store.replace("short", None, b"2", 60)
        assert await store.get("long") == b"1"
    finally:
        await _empty(store)
        await store.aclose()


@pytest.mark.anyio
async def test_all_clients_see_one_clock(redis: RedisServer) -> None:
    first, second = open_store(Secret(redis.url)), open_store(Secret(redis.url))
    try:
        times = [await store.now() for store in (first, second) * 5]
        assert times == sorted(times)
    finally:
        await first.aclose()
        await second.aclose()


def _claim_all(url: str, owner: bytes, won: multiprocessing.Queue[tuple[bytes, int]]) -> None:
    async def claim() -> None:
        store = open_store(Secret(url))
        for number in random.Random(owner).sample(range(100), 100):
            if await store.replace(f"race/{number}", None, owner, HOUR):
                won.put((owner, number))
        await store.aclose()

    asyncio.run(claim())


def test_of_several_processes_one_wins_each_key(redis: RedisServer) -> None:
    context = multiprocessing.get_context("spawn")
    won: multiprocessing.Queue[tuple[bytes, int]] = context.Queue()
    owners = (b"first", b"second", b"third")
    processes = [context.Process(target=_claim_all, args=(redis.url, o, won)) for o in owners]
    for process in processes:
        process.start()
    wins = [won.get(timeout=60) for _ in range(100)]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert won.empty()
    assert sorted(number for _, number in wins) == list(range(100))


@pytest.mark.anyio
async def test_a_cancelled_call_leaves_no_answer_behind_for_the_next(redis: RedisServer) -> None:
    store = open_store(Secret(redis.url))
    chance = random.Random(5)
    try:
        for number in range(20):
            assert await store.replace(f"own/{number}", None, str(number).encode(), HOUR)
        for _ in range(100):
            call = asyncio.create_task(store.get(f"own/{chance.randrange(20)}"))
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.wait([call])
            number = chance.randrange(20)
            assert await store.get(f"own/{number}") == str(number).encode()
    finally:
        await _empty(store)
        await store.aclose()


@pytest.mark.anyio
async def test_cancelled_calls_use_up_no_connections(redis: RedisServer) -> None:
    store = open_store(Secret(redis.url))
    chance = random.Random(7)
    try:
        for _ in range(20):
            calls = [asyncio.create_task(store.get(f"none/{n}")) for n in range(50)]
            for _ in range(chance.randrange(30)):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
        assert await asyncio.gather(*(store.get(f"none/{n}") for n in range(200))) == [None] * 200
    finally:
        await store.aclose()


@pytest.mark.anyio
async def test_it_recovers_by_itself_after_a_server_was_away(tmp_path: Path) -> None:
    with RedisServer(tmp_path, keeps=True) as server:
        store = open_store(Secret(server.url))
        try:
            await asyncio.gather(*(store.replace(f"kept/{n}", None, b"1", HOUR) for n in range(8)))
            server.stop()
            with pytest.raises(StateUnavailable, match="cannot be reached"):
                await store.get("kept/1")
            with pytest.raises(StateUnavailable, match="cannot be reached"):
                await store.replace("kept/1", b"1", b"2", HOUR)
            server.start()
            assert await store.get("kept/1") == b"1"
            assert await store.replace("kept/1", b"1", None, HOUR)
        finally:
            await store.aclose()


@pytest.mark.anyio
async def test_a_restart_between_calls_is_not_noticed(tmp_path: Path) -> None:
    with RedisServer(tmp_path, keeps=True) as server:
        store = open_store(Secret(server.url))
        try:
            for number in range(5):
                assert await store.replace(
                    "kept", str(number - 1).encode() if number else None, str(number).encode(), HOUR
                )
                server.stop()
                server.start()
            assert await store.get("kept") == b"4"
        finally:
            await store.aclose()


class _LosesAnswers:
    """Passes calls on to a server, and breaks a connection once instead of passing the answer on
    that follows the first call with `word` in it."""

    def __init__(self, server: int, word: bytes) -> None:
        self._server = server
        self._word = word
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.lost = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._server)) as server:
            while data := client.recv(65536):
                server.sendall(data)
                answer = server.recv(65536)
                if self._word in data and not answer.startswith(b"-NOSCRIPT") and not self.lost:
                    self.lost += 1
                    return
                client.sendall(answer)

    def close(self) -> None:
        self._listener.close()


@pytest.mark.anyio
async def test_who_won_and_lost_the_answer_is_still_told_so(redis: RedisServer) -> None:
    between = _LosesAnswers(redis.port, b"the-claim")
    store = open_store(Secret(f"redis://127.0.0.1:{between.port}"))
    try:
        assert await store.replace("claimed", None, b"the-claim", HOUR)
        assert between.lost == 1
        assert not await store.replace("claimed", None, b"another-claim", HOUR)
        assert await store.get("claimed") == b"the-claim"
    finally:
        await _empty(store)
        await store.aclose()
        between.close()


@pytest.mark.anyio
async def test_who_removed_and_lost_the_answer_is_not_told_that_another_did(
    redis: RedisServer,
) -> None:
    between = _LosesAnswers(redis.port, b"approved")
    store = open_store(Secret(redis.url))
    shaky = open_store(Secret(f"redis://127.0.0.1:{between.port}"))
    try:
        assert await store.replace("approval", None, b"approved", HOUR)
        with pytest.raises(StateUnavailable):
            await shaky.replace("approval", b"approved", None, HOUR)
        assert await store.get("approval") is None
    finally:
        await store.aclose()
        await shaky.aclose()
        between.close()


@pytest.mark.anyio
async def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        store = open_store(Secret(f"redis://:hunter2@127.0.0.1:{port}/3"))
        try:
            with pytest.raises(StateUnavailable, match="does not answer within 1 s") as caught:
                await store.now()
        finally:
            await store.aclose()
    assert f'"redis://127.0.0.1:{port}/3"' in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.anyio
async def test_nobody_there_is_said_without_the_password() -> None:
    port = free_port()
    store = open_store(Secret(f"redis://user:hunter2@127.0.0.1:{port}"))
    try:
        with pytest.raises(StateUnavailable, match=f'"redis://127.0.0.1:{port}/0"') as caught:
            await store.get("key")
    finally:
        await store.aclose()
    assert "hunter2" not in str(caught.value)


@pytest.mark.anyio
async def test_passwords_work_and_wrong_ones_are_named_but_not_shown(tmp_path: Path) -> None:
    with RedisServer(tmp_path, ["requirepass p@ss/word"]) as server:
        right = open_store(Secret(f"redis://:p%40ss%2Fword@127.0.0.1:{server.port}/0"))
        wrong = open_store(Secret(f"redis://:hunter2@127.0.0.1:{server.port}/0"))
        none = open_store(Secret(server.url))
        try:
            assert await right.replace("key", None, b"1", HOUR)
            for store in (wrong, none):
                with pytest.raises(StateUnavailable, match="refuses the name or the pass") as found:
                    await store.get("key")
                assert "hunter2" not in str(found.value)
        finally:
            for store in (right, wrong, none):
                await store.aclose()


@pytest.mark.anyio
async def test_a_socket_of_this_machine_works(tmp_path: Path) -> None:
    with TemporaryDirectory() as short:
        place = Path(short, "redis.sock")
        with RedisServer(tmp_path, [f"unixsocket {place}", "requirepass p@ss"]):
            store = open_store(Secret(f"unix://:p%40ss@{place}?db=2"))
            try:
                assert await store.replace("key", None, b"1", HOUR)
                assert await store.get("key") == b"1"
            finally:
                await store.aclose()


@pytest.mark.anyio
async def test_tls_works_and_unknown_certificates_are_refused(tmp_path: Path) -> None:
    identity = make_identity()
    identity.server_context(tmp_path)
    pem = tmp_path / f"{identity.certificate.serial_number}.pem"
    trusted = tmp_path / "trusted.pem"
    trusted.write_text(identity.pem)
    tls = free_port()
    options = [f"tls-port {tls}", f"tls-cert-file {pem}", f"tls-key-file {pem}"]
    with RedisServer(tmp_path, [*options, "tls-auth-clients no"]):
        store = open_store(Secret(f"rediss://127.0.0.1:{tls}/0?ssl_ca_certs={trusted}"))
        stranger = open_store(Secret(f"rediss://127.0.0.1:{tls}/0"))
        try:
            assert await store.replace("key", None, b"1", HOUR)
            assert await store.get("key") == b"1"
            with pytest.raises(StateUnavailable, match="certificate"):
                await stranger.get("key")
        finally:
            await store.aclose()
            await stranger.aclose()


async def _fill(store: StateStore) -> None:
    for number in range(100):
        assert await store.replace(f"big/{number}", None, bytes(100_000), HOUR)


@pytest.mark.anyio
async def test_a_full_server_is_a_store_out_of_reach(tmp_path: Path) -> None:
    with RedisServer(tmp_path, ["maxmemory 1mb"]) as server:
        store = open_store(Secret(server.url))
        try:
            with pytest.raises(StateUnavailable, match="is out of memory"):
                await _fill(store)
        finally:
            await store.aclose()
