"""What a listener answers beside its operations: its own pages, public metadata, unknown paths and
wrong methods.

Each caller is told of what he may call. Where every adapter of the port asks for authentication,
a caller who passes none of them is told nothing at all: an unknown path is a 401 to him, as is
the documentation. Where some adapter is open, strangers learn of that one, and a path that only
closed adapters have is a 401.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import quote

from starlette.types import Scope

from naftiko_runtime.exposes.authentication import ANYBODY, Admission, Door, Gatekeeper, caller_of
from naftiko_runtime.exposes.rest.forwards import Forwards, ServedForward
from naftiko_runtime.exposes.rest.own_pages import OwnPages
from naftiko_runtime.exposes.rest.percent import decode_percent
from naftiko_runtime.exposes.rest.problem_details import problem_reply, refusal_reply
from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.exposes.rest.suggestions import RouteIndex
from naftiko_runtime.exposes.rest.table import OwnPage, RestTable, ServedOperation
from naftiko_runtime.failures import Failure, FailureKind
from naftiko_runtime.plan.inbound import InboundPlan

_METADATA_TYPE: Final = (b"content-type", b"application/json")


class Surroundings:
    """Owned by the application, for one table; `before` are those of the table before."""

    __slots__ = ("_gatekeeper", "_indexes", "_pages", "_table")

    def __init__(
        self, table: RestTable, gatekeeper: Gatekeeper, before: Surroundings | None = None
    ) -> None:
        self._table = table
        self._gatekeeper = gatekeeper
        self._pages: dict[frozenset[InboundPlan], OwnPages] = {}
        self._indexes = {} if before is None else before._indexes_for(table)

    async def reply(self, scope: Scope, path: bytes, page: OwnPage | None) -> Reply:
        """The answer to a request that no operation matches; `page` is the own page at its path,
        if there is one."""
        door = self._table.door
        admitted: Admission = ANYBODY
        if door.plans:
            metadata = door.metadata.get(scope["path"])
            if metadata is not None and page is None:
                return metadata_reply(scope["method"], metadata)
            verdict = await self._gatekeeper.admit(door, caller_of(scope))
            if not isinstance(verdict, Admission):
                return refusal_reply(verdict)
            admitted = verdict
        if page is not None:
            return self._seen_by(admitted).reply(page)
        return await self._unserved(scope, path, admitted)

    def _seen_by(self, admitted: Admission) -> OwnPages:
        pages = self._pages.get(admitted.plans)
        if pages is None:
            seen = self._table if not self._table.door.plans else self._part_for(admitted)
            known = self._indexes.get(admitted.plans)
            pages = self._pages[admitted.plans] = OwnPages(seen, known)
        return pages

    def _indexes_for(self, table: RestTable) -> dict[frozenset[InboundPlan], RouteIndex]:
        """What is known of routes, by who sees them, for those who may come to another table."""
        made = {plans: pages.index for plans, pages in self._pages.items()}
        return {
            plans: index
            for plans, index in {**self._indexes, **made}.items()
            if index is not None and plans.issubset(table.door.plans)
        }

    def _part_for(self, admitted: Admission) -> RestTable:
        table = self._table
        operations = tuple(each for each in table.operations if _is_seen(each, admitted))
        forwards = Forwards(each for each in table.forwards.served if _is_seen(each, admitted))
        return replace(table, operations=operations, forwards=forwards)

    async def _unserved(self, scope: Scope, path: bytes, admitted: Admission) -> Reply:
        method, shown = scope["method"], _shown(path)
        try:
            targets = self._table.targets(path)
        except ValueError as error:
            detail = f"the path cannot be read: {error}"
            return problem_reply(Failure(FailureKind.INVALID_INPUT, detail))
        seen = sorted(each for each, target in targets.items() if _is_seen(target, admitted))
        if targets and not seen:
            asked = tuple({plan: None for plan in map(_asked, targets.values()) if plan})
            verdict = await self._gatekeeper.admit(Door(asked, False), caller_of(scope))
            if not isinstance(verdict, Admission):
                return refusal_reply(verdict)
        if not seen:
            unknown = self._seen_by(admitted).unknown(shown)
            return problem_reply(Failure(FailureKind.UNKNOWN_PATH, unknown))
        allow = (b"allow", ", ".join(_with_implied(seen)).encode())
        if method == "OPTIONS":
            return Reply(204, [allow], b"")
        detail = f'"{shown}" does not answer {method[:20]} - it answers {", ".join(seen)}'
        return problem_reply(Failure(FailureKind.METHOD_NOT_ALLOWED, detail), allow)


def metadata_reply(method: str, document: bytes) -> Reply:
    """The public metadata of a protected resource (RFC 9728, section 3.2)."""
    if method not in ("GET", "HEAD"):
        detail = f"the metadata of a protected resource do not answer {method[:20]}"
        failure = Failure(FailureKind.METHOD_NOT_ALLOWED, detail)
        return problem_reply(failure, (b"allow", b"GET, HEAD"))
    length = (b"content-length", b"%d" % len(document))
    return Reply(200, [_METADATA_TYPE, length, (b"cache-control", b"no-cache")], document)


def raw_path(scope: Scope) -> bytes:
    """The path as it came. Servers need not give it (ASGI HTTP, `raw_path`); ours does."""
    raw: bytes | None = scope.get("raw_path")
    return raw if raw is not None else quote(scope["path"], safe="/%:@!$&'()*+,;=~").encode()


def _asked(target: ServedOperation | ServedForward | OwnPage) -> InboundPlan | None:
    return None if isinstance(target, OwnPage) else target.adapter.authentication


def _is_seen(target: ServedOperation | ServedForward | OwnPage, admitted: Admission) -> bool:
    asked = _asked(target)
    return asked is None or asked in admitted.plans


def _with_implied(methods: list[str]) -> list[str]:
    return sorted({*methods, "OPTIONS", *(("HEAD",) if "GET" in methods else ())})


def _shown(path: bytes) -> str:
    text = path[:200].decode("ascii", "replace")
    try:
        return decode_percent(text)
    except ValueError:
        return text
