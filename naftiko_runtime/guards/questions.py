"""Questions in which calls with keys ended: which calls answer them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Final

from naftiko_runtime.failures import Question
from naftiko_runtime.guards.identity import question_name
from naftiko_runtime.guards.keys import Keys
from naftiko_runtime.json_codec import JsonError, decode_json, encode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.state.store import StateStore, StateUnavailable

_PREFIX: Final = "question/"
_LONGEST: Final = 200
"""Characters; a longer value is no id of a question."""


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """The `keys` of the call that ended in a question, the `window` for which they are kept, and
    the arguments of a no. `frees` says that after a no nothing is left of the call."""

    id: str
    keys: tuple[str, ...]
    window: float
    decline: Mapping[str, JsonValue]
    frees: bool

    def is_declined_by(self, arguments: Mapping[str, JsonValue]) -> bool:
        return bool(self.decline) and all(
            name in arguments and _text(arguments[name]) == _text(value)
            for name, value in self.decline.items()
        )


class Questions:
    """All methods raise StateUnavailable. A question is known by the operation or tool that answers
    it, of whatever adapter of its file, and by the argument that holds its id."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    async def note(self, capability: str, question: Question, keys: Keys, *, frees: bool) -> None:
        """Keeps a question for as long as the keys."""
        is_no = dict(question.decline) != dict(question.accept)
        kept = OpenQuestion(
            question.id, keys.names, keys.window, question.decline if is_no else {}, frees
        )
        data = encode_json(asdict(kept) | {"keys": [*kept.keys]})
        for name, value in question.accept.items():
            if _text(value) == question.id:
                key = _key(capability, question.operation, name, question.id)
                while not await self._store.replace(
                    key, await self._store.get(key), data, keys.window
                ):
                    pass  # the same question is noted by others

    async def find(
        self, capability: str, operation: str, arguments: Mapping[str, JsonValue]
    ) -> OpenQuestion | None:
        """The question that a call answers, if it answers one. `operation` is its name with that
        of its adapter."""
        _, _, operation = operation.partition(".")
        for name, value in arguments.items():
            text = _text(value)
            if 0 < len(text) <= _LONGEST:
                data = await self._store.get(_key(capability, operation, name, text))
                if data is not None:
                    return _read(data)
        return None


def _key(capability: str, operation: str, name: str, value: str) -> str:
    return _PREFIX + question_name(capability, operation, name, value)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else encode_json(value).decode()


def _read(data: bytes) -> OpenQuestion:
    try:
        document = decode_json(data)
        if isinstance(document, dict):
            id_, keys, window = document["id"], document["keys"], document["window"]
            decline = document["decline"]
            if isinstance(keys, list) and isinstance(decline, dict):
                names = tuple(str(key) for key in keys)
                seconds = float(str(window))
                return OpenQuestion(str(id_), names, seconds, decline, document["frees"] is True)
    except (JsonError, KeyError, ValueError):
        pass
    raise StateUnavailable("the state store holds something else where a question should be")
