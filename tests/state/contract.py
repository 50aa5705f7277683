"""What every store has to do, told by a model: a dictionary of values and their ends."""

from __future__ import annotations

import asyncio

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from naftiko_runtime.state.store import StateStore

KEYS = st.sampled_from(
    ("halt", "approval/1", "approval/2", "approval-id/1", "a*b", "a?[b]\\", "ä/")
)
VALUES = st.sampled_from((b"", b"0", b"first", b"second", bytes(range(256))))
MAYBE = st.none() | VALUES
PREFIXES = st.sampled_from(("", "a", "approval/", "approval", "a*", "a?", "a?[b]\\", "none", "ä"))
HOURS = st.sampled_from((3600.0, 7200.5, 86400.0))


class StoreMachine(RuleBasedStateMachine):
    """Runs a store and its model side by side. Subclasses open an empty store, and may let time
    pass in rules of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.store = self.open()
        self.time = 0.0
        self.model: dict[str, tuple[bytes, float]] = {}

    def open(self) -> StateStore:
        raise NotImplementedError

    def teardown(self) -> None:
        self.loop.run_until_complete(self.store.aclose())
        self.loop.close()

    def expected(self, key: str) -> bytes | None:
        value, until = self.model.get(key, (b"", 0.0))
        return value if self.time < until else None

    def replace(self, key: str, expected: bytes | None, value: bytes | None, hours: float) -> None:
        replaced = self.loop.run_until_complete(self.store.replace(key, expected, value, hours))
        assert replaced == (self.expected(key) == expected)
        if replaced:
            self.model.pop(key, None)
            if value is not None:
                self.model[key] = value, self.time + hours

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        assert self.loop.run_until_complete(self.store.get(key)) == self.expected(key)

    @rule(key=KEYS, expected=MAYBE, value=MAYBE, hours=HOURS)
    def replace_what_may_be_there(
        self, key: str, expected: bytes | None, value: bytes | None, hours: float
    ) -> None:
        self.replace(key, expected, value, hours)

    @rule(key=KEYS, value=MAYBE, hours=HOURS)
    def replace_what_is_there(self, key: str, value: bytes | None, hours: float) -> None:
        self.replace(key, self.expected(key), value, hours)

    @rule(key=KEYS, expected=MAYBE, values=st.lists(VALUES, min_size=2, max_size=5), hours=HOURS)
    def one_of_a_race_wins(
        self, key: str, expected: bytes | None, values: list[bytes], hours: float
    ) -> None:
        async def race() -> list[bool]:
            calls = [self.store.replace(key, expected, value, hours) for value in values]
            return await asyncio.gather(*calls)

        if any(value == expected for value in values):
            return
        wins = self.loop.run_until_complete(race())
        assert sum(wins) == (self.expected(key) == expected)
        for value, won in zip(values, wins, strict=True):
            if won:
                self.model[key] = value, self.time + hours

    @rule(prefix=PREFIXES)
    def keys(self, prefix: str) -> None:
        keys = self.loop.run_until_complete(self.store.keys(prefix))
        there = [key for key in self.model if self.expected(key) is not None]
        assert sorted(keys) == sorted(key for key in there if key.startswith(prefix))

    @invariant()
    def time_does_not_go_back(self) -> None:
        before, after = (self.loop.run_until_complete(self.store.now()) for _ in range(2))
        assert before <= after
