"""Which adapters of a listener come and go with a reload, and what follows for their parts."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import chain, groupby
from typing import Generic, Protocol, TypeVar

from naftiko_runtime.lazy_dataclasses import dataclass

A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class Part(Protocol[A_co]):
    """What is served of an adapter."""

    @property
    def adapter(self) -> A_co: ...


P = TypeVar("P", bound=Part[object])


@dataclass(frozen=True, slots=True)
class Change(Generic[A]):
    """Adapters with the labels of their files: those that come and go, and the stretch of all
    before, from `start` to `stop`, in whose place `instead` is now."""

    removed: Sequence[tuple[str, A]]
    added: Sequence[tuple[str, A]]
    start: int
    stop: int
    instead: Sequence[tuple[str, A]]


def change_of(before: Sequence[tuple[str, A]], now: Sequence[tuple[str, A]]) -> Change[A] | None:
    """Adapters, each of which comes once, are the same where they are one object: a file that has
    not changed keeps its own. None where those that stay are in another order, which decides who
    gets a name."""
    most = min(len(before), len(now))
    start = _same(before, now, most)
    end = _same(before[::-1], now[::-1], most - start)
    gone, here = before[start : len(before) - end], now[start : len(now) - end]
    old = {id(adapter): label for label, adapter in gone}
    new = {id(adapter): label for label, adapter in here}
    staying = [id(each) for label, each in gone if new.get(id(each)) == label]
    if staying != [id(each) for label, each in here if old.get(id(each)) == label]:
        return None
    return Change(
        [pair for pair in gone if new.get(id(pair[1])) != pair[0]],
        [pair for pair in here if old.get(id(pair[1])) != pair[0]],
        start,
        len(before) - end,
        here,
    )


def _same(before: Sequence[tuple[str, A]], now: Sequence[tuple[str, A]], most: int) -> int:
    """How many adapters at the beginning are the same, of so many at most."""
    number = 0
    for (old_label, old), (new_label, new) in zip(before, now, strict=False):
        if number == most or old is not new or old_label != new_label:
            break
        number += 1
    return number


def parts_between(
    parts: Sequence[P], adapters: Sequence[tuple[str, object]], change: Change[A]
) -> slice:
    """Where the parts are of the adapters that a change replaces. All parts are in the order of the
    adapters before."""
    index = {id(adapter): number for number, (_, adapter) in enumerate(adapters)}

    def number_of(part: P) -> int:
        return index[id(part.adapter)]

    start = bisect_left(parts, change.start, key=number_of)
    return slice(start, bisect_left(parts, change.stop, lo=start, key=number_of))


def with_change(
    parts: tuple[P, ...], place: slice, change: Change[A], added: Iterable[P]
) -> tuple[P, ...]:
    """The parts of all adapters after a change; `place` is that of `parts_between`."""
    instead = _in_order(change.instead, (*parts[place], *added))
    return (*parts[: place.start], *instead, *parts[place.stop :])


def _in_order(adapters: Iterable[tuple[str, object]], parts: Iterable[P]) -> Iterable[P]:
    """The parts of these adapters, in their order; others are left out. Parts of one adapter come
    one after the other."""
    groups = groupby(parts, lambda part: id(part.adapter))
    by_adapter = {adapter: tuple(of_it) for adapter, of_it in groups}
    each = (by_adapter.get(id(adapter), ()) for _, adapter in adapters)
    return chain.from_iterable(each)
