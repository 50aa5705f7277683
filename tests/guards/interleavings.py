"""Runs coroutines in every order in which an event loop, or several processes, could run them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from types import coroutine
from typing import Any, TypeAlias

from naftiko_runtime.state.memory import MemoryStore

Task: TypeAlias = Coroutine[Any, Any, None]


@coroutine
def pause() -> Generator[None, None, None]:
    """Where others may go on, and where the process may crash."""
    yield


class PausingStore(MemoryStore):
    """Lets others go on before each look at what is shared and before each change. Its clock stands
    still until a test moves it."""

    def __init__(self) -> None:
        super().__init__(lambda: self.clock)
        self.clock = 1000.0

    async def get(self, key: str) -> bytes | None:
        await pause()
        return await super().get(key)

    async def replace(
        self, key: str, expected: bytes | None, value: bytes | None, seconds: float
    ) -> bool:
        await pause()
        return await super().replace(key, expected, value, seconds)


@dataclass(frozen=True)
class Trial:
    """Coroutines to run against each other, and what has to hold once they have ended. `crashes`
    are the indexes of those that may be ended at any pause."""

    tasks: Sequence[Task]
    check: Callable[[], None]
    crashes: frozenset[int] = frozenset()


def explore(start: Callable[[], Trial], most: int = 200_000) -> int:
    """Runs a trial, made anew each time, in every order; returns how many there are."""
    runs = 0
    prefix: list[int] | None = []
    while prefix is not None:
        runs += 1
        assert runs <= most, "too many orders to try them all"
        prefix = _next(_run(start(), prefix))
    return runs


def complete(task: Task) -> None:
    """Runs one coroutine alone."""
    try:
        while True:
            task.send(None)
    except StopIteration:
        return


def _run(trial: Trial, prefix: Sequence[int]) -> list[tuple[int, int]]:
    """One run: takes the choices of `prefix`, then the first one each time. Returns the choices
    with how many there were."""
    waiting = dict(enumerate(trial.tasks))
    crashed = False
    made: list[tuple[int, int]] = []
    while waiting:
        choices = [(index, False) for index in waiting]
        if not crashed:
            choices += [(index, True) for index in waiting if index in trial.crashes]
        number = prefix[len(made)] if len(made) < len(prefix) else 0
        made.append((number, len(choices)))
        index, crash = choices[number]
        if crash:
            crashed = True
            _end(waiting.pop(index))
            continue
        try:
            waiting[index].send(None)
        except StopIteration:
            del waiting[index]
    trial.check()
    return made


def _end(task: Task) -> None:
    """A crash runs no clean-up: what a coroutine would do on its way out is not done either."""
    task.close()


def _next(made: list[tuple[int, int]]) -> list[int] | None:
    while made:
        number, choices = made.pop()
        if number + 1 < choices:
            return [*(earlier for earlier, _ in made), number + 1]
    return None
