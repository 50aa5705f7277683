"""How calls of a consumed operation are to be made: what the operator's rules come to for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.settings.model import Breaker, Pacing, Retries, UpstreamRule
from naftiko_runtime.settings.patterns import fits, precision
from naftiko_runtime.settings.upstreams import rule_for

Share: TypeAlias = str
"""Names the calls that share a bucket or a breaker at one origin: those under one rule, or those of
one operation."""


@dataclass(frozen=True, slots=True)
class Conduct:
    """What is to be kept to. `paces` are those that a call has to keep, the narrowest first: the
    operation's own, then that of all calls under one rule. `timeout` is the rule's, in seconds.
    `login` is where a person logs in."""

    paces: tuple[tuple[Share, Pacing], ...] = ()
    breaker: tuple[Share, Breaker] | None = None
    retries: Retries | None = None
    login: str | None = None
    timeout: float | None = None

    @property
    def is_governed(self) -> bool:
        """Whether there is anything to do before and after a call is sent."""
        return bool(self.paces or self.breaker or self.retries)


class Conducts:
    """The conduct of each operation under one set of rules, found when it is first called. False
    where the rules say nothing about any."""

    __slots__ = ("_known", "_rules")

    def __init__(self, rules: Sequence[UpstreamRule] = ()) -> None:
        self._rules = tuple(rules) if any(map(_says_something, rules)) else ()
        self._known: dict[tuple[str, str], Conduct | None] = {}

    def __bool__(self) -> bool:
        return bool(self._rules)

    def find(self, request: UpstreamRequest) -> Conduct | None:
        """None where calls are just sent."""
        key = request.upstream, request.operation
        try:
            return self._known[key]
        except KeyError:
            conduct = self._known[key] = conduct_of(self._rules, *key)
            return conduct


def conduct_of(rules: Sequence[UpstreamRule], namespace: str, operation: str) -> Conduct | None:
    """What the rules come to for an operation, `namespace.name`; None where they say nothing."""
    settled = rule_for(rules, namespace)
    fitting = [rule for rule in rules if fits(rule.match, namespace)]
    fitting.sort(key=lambda rule: precision(rule.match), reverse=True)
    paces = _paces_of_operation(fitting, operation.removeprefix(f"{namespace}."))
    paces += [(_share(rule), rule.pacing) for rule in fitting if rule.pacing is not None][:1]
    breakers = [(_share(rule), rule.breaker) for rule in fitting if rule.breaker is not None]
    conduct = Conduct(
        tuple(paces),
        breakers[0] if breakers else None,
        settled.retries,
        settled.login,
        settled.timeout,
    )
    return conduct if conduct.is_governed or conduct.login is not None else None


def _share(rule: UpstreamRule) -> Share:
    """All namespaces that a rule fits share its bucket: `web-*` may stand for one gateway."""
    return f"rule {rule.match.casefold()}"


def _paces_of_operation(fitting: Sequence[UpstreamRule], name: str) -> list[tuple[Share, Pacing]]:
    """That of the most precise pattern, if there is one. Operations of one name under one rule
    share it: they are the same path of one server, whatever files consume it."""
    found = [
        (precision(pattern), rule, pacing)
        for rule in reversed(fitting)
        for pattern, pacing in rule.operations.items()
        if fits(pattern, name)
    ]
    if not found:
        return []
    most = max(closeness for closeness, _, _ in found)
    rule, pacing = [(rule, pacing) for closeness, rule, pacing in found if closeness == most][-1]
    return [(f"{_share(rule)} operation {name.casefold()}", pacing)]


def _says_something(rule: UpstreamRule) -> bool:
    return any((rule.pacing, rule.breaker, rule.retries, rule.login, rule.operations))
