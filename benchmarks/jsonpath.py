"""How fast compiled JSONPaths read, as ratios: `python -m benchmarks.jsonpath`.

"inline" is the same lookup written by hand in Python, without any check of types; "jsonpath-ng" its
`find`, which answers match objects, not values. Each figure is the best of several runs.
"""

from __future__ import annotations

import timeit
from collections.abc import Callable
from typing import Any

from jsonpath_ng.parser import parse as parse_with_jsonpath_ng

from benchmarks.candidates import Stage
from benchmarks.effort import Effort
from benchmarks.rows import Row, Verdict
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

_TARGET = "$.a.b[*].c"


def measure(stage: Stage, effort: Effort) -> list[Row]:
    """How many times faster than jsonpath-ng the same path is read."""
    result = []
    for path in _INLINE:
        ours, theirs = _best_of_each(compile_jsonpath(path).read, parse_with_jsonpath_ng(path).find)
        verdict = Verdict(theirs / ours, 30) if path == _TARGET else None
        subject = f"{path}, against jsonpath-ng"
        result.append(
            Row("jsonpath", subject, [ours * 1e6], "us", ratio=theirs / ours, verdict=verdict)
        )
    return result


def main() -> None:
    print(f"{'path':34}{'ours':>10}{'x inline':>10}{'jsonpath-ng':>13}{'x ours':>8}")
    for path, inline in _INLINE.items():
        baseline, ours, theirs = _best_of_each(
            inline, compile_jsonpath(path).read, parse_with_jsonpath_ng(path).find
        )
        print(
            f"{path:34}{_micros(ours):>10}{ours / baseline:>10.1f}"
            f"{_micros(theirs):>13}{theirs / ours:>8.0f}"
        )
    for path in _FILTERS:
        print(f"{path:34}{_micros(*_best_of_each(compile_jsonpath(path).find)):>10}")
    compiling = _best_of_each(lambda _: compile_jsonpath("$.a.b[*].c"))
    print(f"{'compiling $.a.b[*].c':34}{_micros(*compiling):>10}")


def _best_of_each(*functions: Callable[[JsonValue], object]) -> list[float]:
    """Seconds for one call of each, the call included; taken in turns, as machines have moods."""
    timers = [
        timeit.Timer("function(document)", globals={"function": function, "document": _DOCUMENT})
        for function in functions
    ]
    numbers = [max(1, timer.autorange()[0] // 20) for timer in timers]
    rounds = [
        [timer.timeit(number) / number for timer, number in zip(timers, numbers, strict=True)]
        for _ in range(15)
    ]
    return [min(times) for times in zip(*rounds, strict=True)]


def _micros(seconds: float) -> str:
    return f"{seconds * 1e6:.2f} us"


if __name__ == "__main__":
    main()
