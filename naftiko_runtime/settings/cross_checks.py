"""Holds the settings against what the capability files consume and offer.

A pattern that means nothing is a warning: files come and go while the settings stay. But what it
was to guard is not guarded, so it is named with what it may have been meant for.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from naftiko_runtime.document.yaml_reader import YamlDocument
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import Consequence, DocumentPath, Problem, Severity
from naftiko_runtime.settings.model import GuardRule, RuntimeSettings, UpstreamRule
from naftiko_runtime.settings.patterns import fits, fits_any

_NAMED: Final = 6
"""So many names are listed where none is close."""


@dataclass(frozen=True, slots=True)
class Served:
    """What there is in the files: consumed namespaces, consumed operations
    (`namespace.operation`), and MCP tools. `changing` are the operations, of those that are to
    keep sessions open, that can change something."""

    namespaces: Collection[str]
    operations: Collection[str]
    tools: Collection[str]
    changing: Collection[str] = ()


def check_against(
    settings: RuntimeSettings, document: YamlDocument, served: Served
) -> list[Problem]:
    """What in the settings means nothing, or something that is not there; `document` is what they
    were read from."""
    checks = _Checks(document, served)
    return [
        *(problem for rule in settings.upstreams for problem in checks.upstream(rule)),
        *(p for index, rule in enumerate(settings.guards) for p in checks.guard(index, rule)),
        *checks.unreached(settings.guards),
        *checks.hidden(settings.hidden),
    ]


@dataclass(frozen=True, slots=True)
class _Checks:
    document: YamlDocument
    served: Served

    def upstream(self, rule: UpstreamRule) -> Iterator[Problem]:
        path: DocumentPath = ("upstreams", rule.match)
        fitting = [name for name in self.served.namespaces if fits(rule.match, name)]
        if not fitting:
            names = self.served.namespaces
            yield self._unfit(path, rule.match, "consumed namespace", names, key=True)
        operations = [
            operation
            for namespace, _, operation in (each.partition(".") for each in self.served.operations)
            if namespace in fitting
        ]
        for pattern in rule.operations if fitting else ():
            if not any(fits(pattern, operation) for operation in operations):
                inner = (*path, "operations", pattern)
                what = f'operation of "{rule.match}"'
                yield self._unfit(inner, pattern, what, operations, key=True)
        kept = rule.keep_alive.call if rule.keep_alive is not None and fitting else None
        if kept is not None and kept not in self.served.operations:
            yield self._no_call((*path, "keep-alive", "call"), kept)
        elif kept is not None and kept in self.served.changing:
            yield self._change((*path, "keep-alive", "call"), kept)

    def guard(self, index: int, rule: GuardRule) -> Iterator[Problem]:
        path: DocumentPath = ("guards", index, "match")
        for number, pattern in enumerate(rule.match):
            if not any(fits(pattern, operation) for operation in self.served.operations):
                inner = (*path, number) if (*path, number) in self.document.positions else path
                what = "consumed operation"
                yield self._unfit(inner, pattern, what, self.served.operations)

    def unreached(self, rules: Sequence[GuardRule]) -> Iterator[Problem]:
        """Guards that never decide, as earlier ones fit all that they fit."""
        decided: dict[tuple[str, str], int] = {}
        for index, rule in enumerate(rules):
            fitting = [
                (operation, caller)
                for operation in self.served.operations
                if fits_any(rule.match, operation)
                for caller in rule.callers
            ]
            first = [decided.setdefault(each, index) for each in fitting]
            if first and index not in first:
                path: DocumentPath = ("guards", index, "match")
                numbers = [str(number + 1) for number in sorted(set(first))]
                what = f"guard {numbers[0]} fits"
                if numbers[1:]:
                    what = f"guards {', '.join(numbers)} fit"
                message = f"guard {index + 1} never decides: {what} all that it fits"
                yield Problem(
                    "unreached-guard",
                    self.document.place(path),
                    path,
                    message,
                    "the first guard that fits decides: put the narrower one in front",
                    Severity.WARNING,
                    Consequence.NOTHING,
                )

    def hidden(self, patterns: Sequence[str]) -> Iterator[Problem]:
        for index, pattern in enumerate(patterns):
            if not any(fits(pattern, tool) for tool in self.served.tools):
                yield self._unfit(("tools", "hide", index), pattern, "tool", self.served.tools)

    def _unfit(
        self,
        path: DocumentPath,
        pattern: str,
        what: str,
        names: Collection[str],
        *,
        key: bool = False,
    ) -> Problem:
        remedy = _meant(pattern, names)
        if what == "consumed operation" and "." not in pattern:
            remedy = f'operations are written namespace.operation, as in "{pattern}.*"'
        return Problem(
            "unfit-pattern",
            self.document.place(path, key=key),
            path,
            f'"{pattern}" fits no {what} of the files',
            remedy,
            Severity.WARNING,
            Consequence.NOTHING,
        )

    def _change(self, path: DocumentPath, call: str) -> Problem:
        return Problem(
            "keep-alive",
            self.document.place(path),
            path,
            f'"{call}" can change something, so that it is not called to keep a session open',
            "name an operation that only reads, or add `safe: true` to a POST that changes nothing",
            Severity.ERROR,
            Consequence.NOTHING,
        )

    def _no_call(self, path: DocumentPath, call: str) -> Problem:
        return Problem(
            "unknown-reference",
            self.document.place(path),
            path,
            f'"{call}" names no consumed operation of the files, so that nothing is kept alive',
            _meant(call, self.served.operations),
            Severity.ERROR,
            Consequence.NOTHING,
        )


def _meant(word: str, names: Collection[str]) -> str:
    """What a name may have been meant for, else which there are."""
    folded = {name.casefold(): name for name in sorted(names)}
    close = get_close_matches(word.replace("*", "").casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f'did you mean "{folded[close[0]]}"?'
    if not names:
        return "there is none"
    listed = sorted(names)[:_NAMED]
    more = ", ..." if len(names) > _NAMED else ""
    return f"there are {', '.join(listed)}{more}" if len(names) > 1 else f"there is {listed[0]}"
