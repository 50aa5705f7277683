"""Matches regular expressions in time linear in the text: nothing can make it backtrack.

The expression becomes a nondeterministic automaton (Thompson's construction). While matching, each
set of states that some text leads to becomes one state of a deterministic automaton, remembered
for the next text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Final, TypeAlias

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.jsonpath.evaluation import Evaluation
from naftiko_runtime.plan.jsonpath.iregexp import (
    Alternatives,
    Anchor,
    Character,
    CharacterTest,
    Expression,
    Sequence,
)

_REMEMBERED: Final = 50_000
"""States held by the remembered sets together, before all are forgotten."""
_CHARACTERS_PER_STEP: Final = 16
"""A remembered transition is about this much cheaper than a visit to a value of a document."""
_ACCEPT: Final = 0


@dataclass(frozen=True, slots=True)
class _Consume:
    test: CharacterTest
    cost: int
    following: int


@dataclass(frozen=True, slots=True)
class _Assert:
    at_end: bool
    following: int


@dataclass(frozen=True, slots=True)
class _Split:
    targets: tuple[int, ...]


_State: TypeAlias = _Consume | _Assert | _Split


@dataclass(slots=True)
class _Reached:
    """Everything that can come next after some text.

    `verdict` is the answer that is certain although more characters follow; None if it depends on
    them. `accepts_end` is the answer if none follow. `cost` is that of all tests together.
    """

    consuming: tuple[_Consume, ...]
    cost: int
    verdict: bool | None
    accepts_end: bool
    following: dict[str, _Reached] = field(default_factory=dict)


class Matcher:
    """An expression, to be found `anywhere` in a text or to match all of it.

    Belongs to one compiled path or input; it remembers transitions, so it is not for use by several
    threads at once.
    """

    def __init__(self, expression: Expression, *, anywhere: bool) -> None:
        self._anywhere = anywhere
        self._states: list[_State] = [_Split(())]
        self._first = self._build(expression, _ACCEPT)
        self._known: dict[frozenset[int], _Reached] = {}
        self._remembered = 0
        self._start, _ = self._reach((self._first,), at_start=True)

    @property
    def size(self) -> int:
        """The number of states, which is what making the matcher costs."""
        return len(self._states)

    def __call__(self, text: str, evaluation: Evaluation) -> bool:
        """Raises JsonPathBudgetExceeded when the evaluation has spent too much."""
        evaluation.spend(len(text) // _CHARACTERS_PER_STEP)
        reached = self._start
        for character in text:
            if reached.verdict is not None:
                return reached.verdict
            following = reached.following.get(character)
            if following is None:
                following = self._advance(reached, character, evaluation)
            reached = following
        return reached.accepts_end

    def _build(self, expression: Expression, following: int) -> int:
        """Adds the states of an expression that goes on to `following`; answers its first."""
        if isinstance(expression, Character):
            return self._add(_Consume(expression.test, expression.size, following))
        if isinstance(expression, Anchor):
            return self._add(_Assert(expression.at_end, following))
        if isinstance(expression, Sequence):
            for item in reversed(expression.items):
                following = self._build(item, following)
            return following
        if isinstance(expression, Alternatives):
            return self._add(
                _Split(tuple(self._build(branch, following) for branch in expression.branches))
            )
        first = following
        if expression.most is None:
            first = self._add(_Split(()))
            self._states[first] = _Split((self._build(expression.item, first), following))
        else:
            for _ in range(expression.most - expression.least):
                first = self._add(_Split((self._build(expression.item, first), following)))
        for _ in range(expression.least):
            first = self._build(expression.item, first)
        return first

    def _add(self, state: _State) -> int:
        self._states.append(state)
        return len(self._states) - 1

    def _advance(self, reached: _Reached, character: str, evaluation: Evaluation) -> _Reached:
        evaluation.spend(reached.cost)
        targets = {state.following for state in reached.consuming if state.test(character)}
        if self._anywhere:
            targets.add(self._first)
        key = frozenset(targets)
        following = self._known.get(key)
        if following is None:
            following, visited = self._reach(key, at_start=False)
            evaluation.spend(visited)
            self._remember(len(key) + len(following.consuming))
            self._known[key] = following
        self._remember(1)
        reached.following[character] = following
        return following

    def _reach(self, targets: Iterable[int], *, at_start: bool) -> tuple[_Reached, int]:
        """What the states lead to without reading on, and how many states that took to see."""
        visible = self._closure(targets, at_start=at_start, at_end=False)
        ending = self._closure(visible, at_start=at_start, at_end=True)
        states = self._states
        consuming = tuple(
            state for index in visible if isinstance(state := states[index], _Consume)
        )
        verdict: bool | None = None
        if self._anywhere:
            verdict = True if _ACCEPT in visible else None
        elif not consuming:
            verdict = False
        cost = sum(state.cost for state in consuming)
        reached = _Reached(consuming, cost, verdict, _ACCEPT in ending)
        return reached, len(visible) + len(ending)

    def _closure(self, targets: Iterable[int], *, at_start: bool, at_end: bool) -> set[int]:
        seen = set(targets)
        pending = list(seen)
        while pending:
            state = self._states[pending.pop()]
            further: tuple[int, ...] = ()
            if isinstance(state, _Split):
                further = state.targets
            elif isinstance(state, _Assert) and (at_end if state.at_end else at_start):
                further = (state.following,)
            for index in further:
                if index not in seen:
                    seen.add(index)
                    pending.append(index)
        return seen

    def _remember(self, weight: int) -> None:
        self._remembered += weight
        if self._remembered > _REMEMBERED:
            self._remembered = 0
            self._known.clear()
            self._start.following.clear()
