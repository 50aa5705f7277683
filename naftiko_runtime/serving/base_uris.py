"""Where consumed namespaces are called instead of at the `baseUri` of their files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.settings.model import RuntimeSettings, UpstreamRule
from naftiko_runtime.settings.upstreams import rule_for


@dataclass(frozen=True, slots=True)
class BaseUris(Mapping[str, str]):
    """The addresses of the command line, else those of the operator's settings.

    Any namespace can be looked up; iterating gives those of the command line, as the patterns of
    the settings name no single ones.
    """

    options: Mapping[str, str]
    rules: tuple[UpstreamRule, ...] = ()

    def __getitem__(self, namespace: str) -> str:
        found = self.options.get(namespace) or rule_for(self.rules, namespace).base_uri
        if found is None:
            raise KeyError(namespace)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.options)

    def __len__(self) -> int:
        return len(self.options)


def base_uris_of(options: Mapping[str, str], settings: RuntimeSettings | None) -> BaseUris:
    """Equal as long as neither names other addresses."""
    rules = () if settings is None else settings.upstreams
    named = (UpstreamRule(rule.match, base_uri=rule.base_uri) for rule in rules if rule.base_uri)
    return BaseUris(options, tuple(named))
