"""What a listener says about itself: its OpenAPI document, its documentation page, and where to
look when a path is unknown. Made when first asked for, once per table."""

from __future__ import annotations

from naftiko_runtime.exposes.rest.reply import Reply
from naftiko_runtime.exposes.rest.suggestions import RouteIndex, index_routes
from naftiko_runtime.exposes.rest.table import OwnPage, RestTable


class OwnPages:
    """Owned by the application, for one table. `known` is the index of the routes of a table
    before, of which the one of this table is made."""

    __slots__ = ("_index", "_known", "_replies", "_table")

    def __init__(self, table: RestTable, known: RouteIndex | None = None) -> None:
        self._table = table
        self._replies: dict[OwnPage, Reply] = {}
        self._index: RouteIndex | None = None
        self._known = known

    @property
    def index(self) -> RouteIndex | None:
        """The latest one there is."""
        return self._known if self._index is None else self._index

    def reply(self, page: OwnPage) -> Reply:
        reply = self._replies.get(page)
        if reply is None:
            reply = self._replies[page] = self._make(page)
        return reply

    def unknown(self, path: str) -> str:
        """What to tell the caller of a path that nothing matches."""
        if self._index is None:
            routes = (operation.route.text for operation in self._table.operations)
            self._index = index_routes(routes, self._known)
        close = self._index.closest(path)
        meant = f' - did you mean "{close}"?' if close else ""
        return f'nothing is served at "{path}"{meant} - "{OwnPage.DOCS.value}" lists what is'

    def _make(self, page: OwnPage) -> Reply:
        # These modules are seldom needed, and never to answer a call.
        if page is OwnPage.OPENAPI:
            from naftiko_runtime.exposes.rest.openapi import openapi_document
            from naftiko_runtime.json_codec import encode_json

            body = encode_json(openapi_document(self._table))
            headers = [(b"content-type", b"application/json")]
        else:
            if page is OwnPage.DOCS:
                from naftiko_runtime.exposes.rest.docs_page import docs_page

                body, policy = docs_page(self._table)
            else:
                from naftiko_runtime.exposes.rest.reference_page import reference_page

                body, policy = reference_page(self._table)
            headers = [
                (b"content-type", b"text/html; charset=utf-8"),
                (b"content-security-policy", policy.encode()),
                (b"x-content-type-options", b"nosniff"),
                (b"referrer-policy", b"no-referrer"),
            ]
        headers += [(b"content-length", b"%d" % len(body)), (b"cache-control", b"no-cache")]
        return Reply(200, headers, body)
