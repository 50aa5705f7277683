"""Where the values of a YAML document stand, by document path."""

from __future__ import annotations

from dataclasses import field

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import DocumentPath

LineColumn = tuple[int, int]
"""Both from 1."""


@dataclass(slots=True)
class Marks:
    """Where values start, and the keys that lead to them."""

    positions: dict[DocumentPath, LineColumn] = field(default_factory=dict)
    key_positions: dict[DocumentPath, LineColumn] = field(default_factory=dict)

    def copy(
        self, value: JsonValue, source: Marks, at: DocumentPath, to: DocumentPath
    ) -> JsonValue:
        """A copy of `value`, marked here under `to` with the marks it has in `source` under `at`.

        The recursion is as deep as the value, which its reader has bounded.
        """
        self.positions[to] = source.positions[at]
        if at in source.key_positions:
            self.key_positions[to] = source.key_positions[at]
        if isinstance(value, dict):
            return {
                key: self.copy(child, source, (*at, key), (*to, key))
                for key, child in value.items()
            }
        if isinstance(value, list):
            return [
                self.copy(child, source, (*at, index), (*to, index))
                for index, child in enumerate(value)
            ]
        return value
