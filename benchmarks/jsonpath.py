"""How fast compiled JSONPaths read, as ratios: `python -m benchmarks.jsonpath`.

"inline" is the same lookup written by hand in Python, without any check of types; "jsonpath-ng" its
`find`, which answers match objects, not values. Each figure is the best of several runs.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from typing import Any

from jsonpath_ng.parser import parse as parse_with_jsonpath_ng

from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.plan.jsonpath import compile_jsonpath

_ROWS: list[JsonValue] = [{"c": number, "d": {"e": str(number)}} for number in range(10)]
_DOCUMENT: JsonValue = {"a": {"b": _ROWS, "x": {"c": 1}}}

_INLINE: dict[str, Callable[[Any], object]] = {
    "$.a": lambda d: d["a"],
    "$.a.x.c": lambda d: d["a"]["x"]["c"],
    "$.a.b[3].c": lambda d: d["a"]["b"][3]["c"],
    "$.a.b[*].c": lambda d: [row["c"] for row in d["a"]["b"]],
    "$.a.b[*].d.e": lambda d: [row["d"]["e"] for row in d["a"]["b"]],
    "$.a.b[2:5].c": lambda d: [row["c"] for row in d["a"]["b"][2:5]],
    "$..c": lambda d: [d["a"]["x"]["c"]] + [row["c"] for row in d["a"]["b"]],
}
_FILTERS = ("$.a.b[?@.c == 4]", "$.a.b[?@.c > 4].d.e", "$.a.b[?match(@.d.e, '[3-6]')].c")


def main() -> None:
    print(f"{'path':34}{'ours':>10}{'x inline':>10}{'jsonpath-ng':>13}{'x ours':>8}")
    for path, inline in _INLINE.items():
        compiled = compile_jsonpath(path)
        baseline = _best(inline)
        ours = _best(compiled.read)
        theirs = _best(parse_with_jsonpath_ng(path).find)
        print(
            f"{path:34}{_micros(ours):>10}{ours / baseline:>10.1f}"
            f"{_micros(theirs):>13}{theirs / ours:>8.0f}"
        )
    for path in _FILTERS:
        print(f"{path:34}{_micros(_best(compile_jsonpath(path).find)):>10}")
    compiling = _best(lambda _: compile_jsonpath("$.a.b[*].c"))
    print(f"{'compiling $.a.b[*].c':34}{_micros(compiling):>10}")


def _best(function: Callable[[JsonValue], object]) -> float:
    """Seconds for one call, the call itself included."""
    timer = timeit.Timer(lambda: function(_DOCUMENT))
    number, _ = timer.autorange(None)
    number = max(1, number // 20)
    empty = min(timeit.repeat(lambda: None, number=number, repeat=5))
    return max(1e-12, min(timer.repeat(repeat=5, number=number)) - empty) / number


def _micros(seconds: float) -> str:
    return f"{seconds * 1e6:.2f} us"


if __name__ == "__main__":
    main()
