"""Which adapters of a listener come and go with a reload, and what follows for their parts."""

from __future__ import annotations

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
    """Adapters with the labels of their files."""

    removed: Sequence[tuple[str, A]]
    added: Sequence[tuple[str, A]]


def change_of(before: Sequence[tuple[str, A]], now: Sequence[tuple[str, A]]) -> Change[A] | None:
    """Adapters are the same where they are one object: a file that has not changed keeps its own.
    None where those that stay are in another order, which decides who gets a name."""
    old = {id(adapter): label for label, adapter in before}
    new = {id(adapter): label for label, adapter in now}
    if len(old) != len(before) or len(new) != len(now):
        return None
    staying = [id(each) for label, each in before if new.get(id(each)) == label]
    if staying != [id(each) for label, each in now if old.get(id(each)) == label]:
        return None
    return Change(
        [pair for pair in before if new.get(id(pair[1])) != pair[0]],
        [pair for pair in now if old.get(id(pair[1])) != pair[0]],
    )


def in_order(adapters: Iterable[tuple[str, object]], parts: Iterable[P]) -> tuple[P, ...]:
    """The parts of these adapters, in their order; others are left out. Parts of one adapter come
    one after the other."""
    groups = groupby(parts, lambda part: id(part.adapter))
    by_adapter = {adapter: tuple(of_it) for adapter, of_it in groups}
    each = (by_adapter.get(id(adapter), ()) for _, adapter in adapters)
    return tuple(chain.from_iterable(each))
