"""Data classes whose methods are not written before they are needed.

`dataclass` declares what the one of the standard library declares, with `slots=True`, and is that
one to type checkers; `field`, `fields`, `replace` and `asdict` of `dataclasses` work as ever. Only
the building differs. The standard library writes and compiles up to six methods for every class
when its module is imported, which was two fifths of the work of a start. Here `__init__` is
compiled when the first instance is made, and the other methods are functions that classes share.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final, TypeVar

_T = TypeVar("_T")
_Method = Callable[..., object]


class _Fresh:
    """Default of a parameter whose field has a factory."""

    def __repr__(self) -> str:
        return "<factory>"


_FRESH: Final = _Fresh()


def _dataclass(
    *, slots: bool = False, frozen: bool = False, eq: bool = True, weakref_slot: bool = False
) -> Callable[[type[_T]], type[_T]]:
    if not slots:
        raise TypeError("a class without slots needs dataclasses.dataclass")

    def build(declared: type[_T]) -> type[_T]:
        if not declared.__doc__:
            # Otherwise the standard library makes one of the signature, and that takes long.
            declared.__doc__ = declared.__name__
        collect = dataclasses.dataclass(  # noqa: TID251
            init=False, repr=False, eq=False, slots=True, weakref_slot=weakref_slot
        )
        cls = collect(declared)
        for name, method in _methods(cls, frozen, eq):
            if name not in declared.__dict__:
                setattr(cls, name, method)
        return cls

    return build


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: TID251
else:
    dataclass = _dataclass


def _methods(cls: type, frozen: bool, eq: bool) -> Iterator[tuple[str, object]]:
    yield "__init__", _Init(cls, frozen)
    yield "__repr__", _repr
    if eq:
        values = _compared(cls)
        yield "__eq__", _equality(values)
        yield "__hash__", _hash(values) if frozen else None
    if frozen:
        yield "__setattr__", _refuse_change
        yield "__delattr__", _refuse_change
        yield "__getstate__", _state
        yield "__setstate__", _restore


class _Init:
    """Stands for the `__init__` of a class until something looks at that."""

    __slots__ = ("_cls", "_frozen")

    def __init__(self, cls: type, frozen: bool) -> None:
        if hasattr(cls, "__post_init__") or not all(map(_is_known, dataclasses.fields(cls))):
            raise TypeError(f'"{cls.__name__}" needs what only dataclasses.dataclass knows')
        self._cls = cls
        self._frozen = frozen

    def __get__(self, instance: object, owner: type) -> object:
        method = _compiled_init(self._cls, self._frozen)
        type.__setattr__(self._cls, "__init__", method)
        return method if instance is None else method.__get__(instance, owner)


def _is_known(field: dataclasses.Field[Any]) -> bool:
    """Whether the methods here do all that a declaration of a field asks for."""
    return not field.kw_only and field.hash is None


def _compiled_init(cls: type, frozen: bool) -> _Method:
    """As the standard library writes it. A frozen instance is filled by the setters of its slots,
    as its own refuses."""
    given: dict[str, object] = {"_fresh": _FRESH}
    parameters, lines = [], []
    for each in dataclasses.fields(cls):
        name = value = parameter = each.name
        if each.default is not dataclasses.MISSING:
            given[f"_default_{name}"] = each.default
            parameter = f"{name}=_default_{name}"
            value = name if each.init else f"_default_{name}"
        elif each.default_factory is not dataclasses.MISSING:
            given[f"_make_{name}"] = each.default_factory
            parameter = f"{name}=_fresh"
            value = f"_make_{name}()" + (f" if {name} is _fresh else {name}" if each.init else "")
        elif not each.init:
            continue
        if each.init:
            parameters.append(parameter)
        if frozen:
            given[f"_set_{name}"] = getattr(cls, name).__set__
            lines.append(f"_set_{name}(self, {value})")
        else:
            lines.append(f"self.{name} = {value}")
    source = (
        f"def _outer({', '.join(given)}):\n"
        f" def __init__({', '.join(['self', *parameters])}):\n"
        f"  {'; '.join(lines) or 'pass'}\n"
        " return __init__"
    )
    made: dict[str, Callable[..., _Method]] = {}
    # The names are those of a class body; nothing else enters the source.
    exec(source, sys.modules[cls.__module__].__dict__, made)  # noqa: S102
    method = made["_outer"](**given)
    method.__qualname__ = f"{cls.__qualname__}.__init__"
    hints = {each.name: each.type for each in dataclasses.fields(cls) if each.init}
    method.__annotations__ = {**hints, "return": None}
    return method


def _compared(cls: type) -> Callable[[Any], tuple[object, ...]]:
    """What of an instance tells it from others."""
    names = [each.name for each in dataclasses.fields(cls) if each.compare]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)


def _equality(values: Callable[[Any], tuple[object, ...]]) -> _Method:
    def __eq__(self: object, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values(self) == values(other)

    return __eq__


def _hash(values: Callable[[Any], tuple[object, ...]]) -> _Method:
    def __hash__(self: object) -> int:
        return hash(values(self))

    return __hash__


@recursive_repr()
def _repr(self: Any) -> str:
    names = [each.name for each in dataclasses.fields(self) if each.repr]
    shown = [f"{name}={getattr(self, name)!r}" for name in names]
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_change(self: object, name: str, *_value: object) -> None:
    raise dataclasses.FrozenInstanceError(f'"{name}" of a frozen instance cannot be changed')


def _state(self: Any) -> list[object]:
    """For pickling, which could not fill a frozen instance by itself."""
    return [getattr(self, each.name) for each in dataclasses.fields(self)]


def _restore(self: Any, state: list[object]) -> None:
    for each, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)
