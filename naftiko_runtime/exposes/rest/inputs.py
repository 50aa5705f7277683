"""A REST caller's values: path variables, query, headers, cookies and the JSON body."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from naftiko_runtime.document.model import ParameterPlace
from naftiko_runtime.exposes.rest.given_values import (
    GivenValues,
    header_text,
    read_cookies,
    read_headers,
    read_query,
)
from naftiko_runtime.failures import CallFailed, Failure, FailureKind, fail
from naftiko_runtime.json_codec import decode_request_json
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson, Missing
from naftiko_runtime.plan.jsonpath import JsonPathBudgetExceeded
from naftiko_runtime.plan.operation import InputPlan
from naftiko_runtime.plan.origin import UNKNOWN_REST, Origin


class RequestInputs:
    """Implements `Inputs`. Each part of the request is read when first asked for, at most once.

    Lives for one call. `body` is empty when the caller sent none; `encoded` says that it is
    compressed in a way that is not undone here.
    """

    __slots__ = (
        "_body",
        "_cookies",
        "_document",
        "_encoded",
        "_fields",
        "_given_headers",
        "_headers",
        "_query",
        "_query_string",
        "_refusal",
        "_variables",
        "dry_run",
        "origin",
    )

    def __init__(
        self,
        variables: Mapping[str, str],
        query_string: bytes,
        headers: Sequence[tuple[bytes, bytes]],
        body: bytes,
        *,
        encoded: bool = False,
        origin: Origin = UNKNOWN_REST,
        dry_run: bool = False,
    ) -> None:
        self.origin = origin
        self.dry_run = dry_run
        self._variables = variables
        self._query_string = query_string
        self._headers = headers
        self._body = body
        self._encoded = encoded and bool(body)
        self._query: GivenValues[JsonValue] | None = None
        self._given_headers: GivenValues[bytes] | None = None
        self._cookies: GivenValues[str] | None = None
        self._document: MaybeJson = MISSING
        self._refusal: Failure | None = None
        self._fields: GivenValues[JsonValue] | None = None

    def find(self, plan: InputPlan) -> tuple[MaybeJson, bool]:
        """The first value given, in the order of the route, then the input's places."""
        if plan.route_variable is not None:
            variable = self._variables.get(plan.route_variable)
            if variable is not None:
                return variable, True
        for place in plan.places:
            value = self._at(place, plan)
            if value is not MISSING:
                return value, place is not ParameterPlace.BODY
        if plan.body_path is not None:
            return self._in_body(plan), False
        return MISSING, False

    def raw_body(self) -> bytes | None:
        if self._encoded:
            return self._body
        return None if self._read_document() is MISSING else self._body

    def has_encoded_body(self) -> bool:
        return self._encoded

    def read_body(self) -> None:
        """Reads the body now, which takes long for a large one. What is wrong with it is told to
        whoever asks for a value of it."""
        try:
            self._read_document()
        except CallFailed as refused:
            self._refusal = refused.failure

    def _at(self, place: ParameterPlace, plan: InputPlan) -> MaybeJson:
        if place is ParameterPlace.QUERY:
            if not self._query_string:
                return MISSING
            if self._query is None:
                self._query = GivenValues(read_query(self._query_string))
            return self._query.find(plan.name, plan.loose)
        if place is ParameterPlace.BODY:
            return self._in_body(plan)
        if place is ParameterPlace.HEADER:
            return self._in_headers(plan)
        if place is ParameterPlace.COOKIE:
            if self._cookies is None:
                self._cookies = GivenValues(read_cookies(self._headers))
            return self._cookies.find(plan.name, plan.loose)
        return MISSING

    def _in_headers(self, plan: InputPlan) -> str | Missing:
        if self._given_headers is None:
            self._given_headers = GivenValues(read_headers(self._headers))
        value = self._given_headers.find(plan.name.lower(), plan.loose)
        return MISSING if value is MISSING else header_text(plan.name, value)

    def _in_body(self, plan: InputPlan) -> MaybeJson:
        document = self._read_document()
        if document is MISSING:
            return MISSING
        if plan.body_path is not None:
            try:
                return plan.body_path(document)
            except JsonPathBudgetExceeded:
                complaint = f'"{plan.name}": the request body is too large for its path'
                raise fail(FailureKind.INVALID_INPUT, complaint, field=plan.name) from None
        if plan.whole_body:
            return document
        if self._fields is None:
            self._fields = GivenValues(document if isinstance(document, dict) else {})
        return self._fields.find(plan.name, plan.loose)

    def _read_document(self) -> MaybeJson:
        if self._refusal is not None:
            raise CallFailed(self._refusal)
        if self._document is MISSING and self._body and not self._encoded:
            try:
                self._document = decode_request_json(self._body)
            except ValueError as error:
                raise fail(
                    FailureKind.INVALID_INPUT,
                    f"the request body is not usable JSON: {error}",
                    field="body",
                ) from None
        return self._document
