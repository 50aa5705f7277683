"""Classes of both builders, declared alike, behave alike."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import typing
import weakref
from dataclasses import field
from typing import Any, Generic, NamedTuple, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.lazy_dataclasses import dataclass

T = TypeVar("T")


class Declared(NamedTuple):
    """The same declarations, built by one of the builders."""

    Point: Any
    Named: Any
    Counter: Any
    Token: Any
    Box: Any
    Empty: Any


def declared_with(build: Any) -> Declared:
    @build(frozen=True, slots=True)
    class Point:
        """A place."""

        x: int
        y: int = 2

        @property
        def both(self) -> tuple[int, int]:
            return self.x, self.y

    @build(frozen=True, slots=True)
    class Named(Point):
        name: str = "n"
        tags: list[str] = field(default_factory=list)
        note: str = field(default="", compare=False)
        _seen: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    @build(slots=True)
    class Counter:
        count: int = 0
        step: int = field(default=1, init=False)

    @build(frozen=True, slots=True, eq=False, weakref_slot=True)
    class Token:
        text: str

        def __repr__(self) -> str:
            return "***"

    @build(frozen=True, slots=True)
    class Box(Generic[T]):
        held: T

    @build(frozen=True, slots=True)
    class Empty:
        """Nothing."""

        _later: int = field(init=False, repr=False, compare=False)

    return Declared(Point, Named, Counter, Token, Box, Empty)


OURS = declared_with(dataclass)
THEIRS = declared_with(dataclasses.dataclass)


@dataclass(frozen=True, slots=True)
class Sent:
    name: str
    counts: tuple[int, ...] = ()


VALUES = st.integers(0, 1) | st.lists(st.integers(0, 1), max_size=1)
NAMES = st.sampled_from(["x", "y", "name", "tags", "note", "_seen"])
ARGUMENTS = st.tuples(st.lists(VALUES, max_size=3), st.dictionaries(NAMES, VALUES, max_size=2))


def seen_of(cls: Any, first: Any, second: Any) -> list[object]:
    """What tells two instances, or the attempts to make them, apart."""
    made = []
    for positional, named in (first, second):
        try:
            made.append(cls(*positional, **named))
        except TypeError as error:
            made.append(str(error))
    one, other = made
    seen = [repr(one), repr(other), one == other, one != other, one == one]
    for instance in made:
        try:
            seen.append(hash(instance) == hash(one))
        except TypeError as error:
            seen.append(str(error))
        if dataclasses.is_dataclass(instance) and "_later" not in cls.__slots__:
            seen.append(dataclasses.asdict(instance))  # type: ignore[arg-type]
    return seen


@given(st.sampled_from(Declared._fields), ARGUMENTS, ARGUMENTS)
def test_instances_are_made_shown_and_compared_as_those_of_the_standard_library(
    name: str, first: Any, second: Any
) -> None:
    assert seen_of(getattr(OURS, name), first, second) == seen_of(
        getattr(THEIRS, name), first, second
    )


@pytest.mark.parametrize("name", Declared._fields)
def test_a_class_describes_itself_as_one_of_the_standard_library(name: str) -> None:
    ours, theirs = getattr(OURS, name), getattr(THEIRS, name)
    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__slots__ == theirs.__slots__
    assert typing.get_type_hints(ours.__init__) == typing.get_type_hints(theirs.__init__)
    assert ours.__init__.__qualname__ == theirs.__init__.__qualname__
    assert [f.name for f in dataclasses.fields(ours)] == [
        f.name for f in dataclasses.fields(theirs)
    ]


def test_the_first_instance_is_made_by_a_method_like_all_others() -> None:
    cls = declared_with(dataclass).Point
    assert (cls(1).both, cls(y=4, x=3).both) == ((1, 2), (3, 4))
    assert inspect.isfunction(cls.__init__)


def test_every_instance_gets_a_value_of_its_own_from_a_factory() -> None:
    first, second = OURS.Named(1), OURS.Named(1)
    first.tags.append("a")
    first._seen["b"] = 1
    assert (second.tags, second._seen) == ([], {})
    assert OURS.Named(1, tags=second.tags).tags is second.tags


def test_a_frozen_instance_refuses_changes_of_what_it_has_and_has_not() -> None:
    point = OURS.Point(1)
    for name in ("x", "z"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(point, name, 5)
        with pytest.raises(dataclasses.FrozenInstanceError):
            delattr(point, name)
    assert point == OURS.Point(1)


def test_an_instance_that_is_not_frozen_changes_and_has_no_hash() -> None:
    counter = OURS.Counter()
    counter.count += 1
    assert counter == OURS.Counter(1)
    with pytest.raises(TypeError):
        hash(counter)
    with pytest.raises(AttributeError):
        counter.other = 1


def test_an_instance_without_equality_is_itself_alone() -> None:
    token = OURS.Token("a")
    assert token != OURS.Token("a")
    assert len({token, OURS.Token("a")}) == 2
    assert weakref.ref(token)() is token


def test_a_subclass_is_not_equal_to_its_base() -> None:
    assert OURS.Named(1) != OURS.Point(1)


def test_a_replaced_field_leaves_the_others() -> None:
    named = OURS.Named(1, 3, "a")
    assert dataclasses.replace(named, y=4) == OURS.Named(1, 4, "a")
    with pytest.raises(TypeError):
        dataclasses.replace(named, other=4)


def test_a_class_of_a_type_parameter_takes_an_argument() -> None:
    assert OURS.Box[int](1) == OURS.Box(1)


def test_an_instance_matches_by_position() -> None:
    match OURS.Point(1):
        case OURS.Point(x, y):
            assert (x, y) == (1, 2)
        case _:
            pytest.fail("no match")


def test_an_instance_is_sent_to_another_process() -> None:
    sent = Sent("a", (1, 2))
    assert pickle.loads(pickle.dumps(sent)) == sent


def test_what_cannot_be_built_is_refused_where_it_is_declared() -> None:
    with pytest.raises(TypeError, match=r'"Later" needs'):

        @dataclass(slots=True)
        class Later:
            count: int

            def __post_init__(self) -> None: ...

    with pytest.raises(TypeError, match=r'"Named" needs'):

        @dataclass(slots=True)
        class Named:
            count: int = field(kw_only=True)

    with pytest.raises(TypeError, match=r'"Mapped" needs'):

        @dataclass(slots=True)
        class Mapped:
            count: int = field(hash=False)

    with pytest.raises(TypeError, match="without slots"):

        @dataclass(frozen=True)
        class Open:
            count: int
