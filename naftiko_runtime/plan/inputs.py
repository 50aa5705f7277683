"""Collects what a caller of one operation may give: declared inputs and those that the call
implies."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import field, replace

from naftiko_runtime.document.dialects import fold_name, is_mapping
from naftiko_runtime.document.model import (
    ConsumedParameter,
    InputParameter,
    InputReference,
    ParameterPlace,
    ParameterType,
)
from naftiko_runtime.failures import CallFailed
from naftiko_runtime.json_values import MISSING, JsonValue, MaybeJson
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.conversion import Convert, compile_conversion
from naftiko_runtime.plan.jsonpath import compile_jsonpath
from naftiko_runtime.plan.operation import InputPlan
from naftiko_runtime.plan.patterns import PatternError

_ROUTE_VARIABLE = re.compile(r"\{\{?\s*([^{}]+?)\s*\}\}?")
_STANDARD_HEADERS = frozenset(
    "accept acceptcharset acceptencoding acceptlanguage authorization cachecontrol connection "
    "contentencoding contentlength contenttype cookie date expect forwarded from host ifmatch "
    "ifmodifiedsince ifnonematch ifrange ifunmodifiedsince keepalive maxforwards origin pragma "
    "proxyauthorization range referer te trailer transferencoding upgrade useragent via warning "
    "xforwardedfor xforwardedhost xforwardedproto".split()
)
"""Folded names of headers that every client sends: a query parameter called `host` or `from` is
not filled from them."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a call wants of an input: how the consumer uses it, as far as the file says."""

    type: ParameterType | None = None
    description: str = ""
    required: bool | None = None
    schema: Mapping[str, JsonValue] = field(default_factory=dict)
    place: ParameterPlace | None = None
    whole_body: bool = False
    member: bool = False
    """It is a field of the caller's body, although it is called `body`."""
    optional: bool = False
    """The call does without it, whatever the file says of the input."""


def need_of(parameter: ConsumedParameter, *, whole_body: bool = False) -> Need:
    """What a consumed parameter wants. A published parameter (one with a type) that does not say
    `required` is optional; one of the specification, which cannot say it, leaves it open."""
    required = parameter.required
    if required is None and (parameter.type is not None or parameter.description):
        required = False
    if parameter.location is ParameterPlace.PATH:
        required = True
    if parameter.type is ParameterType.OBJECT and parameter.location is ParameterPlace.QUERY:
        required = False  # objects have no one spelling in a query: the upstream judges
    return Need(
        parameter.type,
        parameter.description,
        required,
        parameter.schema,
        parameter.location,
        whole_body,
    )


def shared_folds(names: Collection[str]) -> set[str]:
    """The folded names that several of the names share."""
    counts = Counter(fold_name(name) for name in set(names))
    return {folded for folded, count in counts.items() if count > 1}


class InputCollector:
    """Gathers the inputs of one exposed operation while its call is compiled.

    `route` is the exposed path for REST and None for MCP; `reads_body` says whether undeclared
    inputs may be fields of the request body; `in_uri` are names that a caller gives with a URI
    that is no route. Names match exactly first, then folded.
    """

    def __init__(
        self,
        declared: tuple[InputParameter, ...],
        route: str | None = None,
        *,
        reads_body: bool = False,
        in_uri: tuple[str, ...] = (),
    ) -> None:
        self._declared = {parameter.name: parameter for parameter in declared}
        self._route = route
        self._variables = [] if route is None else _ROUTE_VARIABLE.findall(route)
        self._in_uri = in_uri
        self._needs: dict[str, Need] = {}
        self._targets = {
            fold_name(parameter.target.rpartition(".")[2]): parameter.name
            for parameter in declared
            if parameter.target
        }
        self._reads_body = reads_body
        self._apart = shared_folds(self._declared)
        self._closed = False

    def name_for(self, reference: InputReference, need: Need) -> tuple[str, tuple[str, ...]]:
        """The input that a reference reads, and the way into its value."""
        names = (*reference.name.split("."), *reference.rest)
        is_whole = self._is_callers_body(names, need)
        if is_whole:
            need = replace(need, whole_body=True)
        for length in range(len(names), 0, -1):
            known = self._known(".".join(names[:length]), with_targets=length == len(names))
            if known is None:
                continue
            rest = names[length:]
            inner = Need(required=need.required, whole_body=is_whole and length == 1)
            self._note(known, inner if rest else need)
            return known, rest
        if is_whole:
            self._note(names[0], replace(need, type=None, schema={}) if names[1:] else need)
            return names[0], names[1:]
        name = reference.name
        self._note(name, Need(whole_body=need.whole_body) if reference.rest else need)
        return name, reference.rest

    def _is_callers_body(self, names: tuple[str, ...], need: Need) -> bool:
        """Whether a name, or the way into a value, starts at the whole request body: at `body`,
        unless that is declared as something else or what wants it is called so itself."""
        if not self.is_rest or fold_name(names[0]) != "body" or "body" in self._declared:
            return False
        elsewhere = need.place not in (None, ParameterPlace.BODY)
        return bool(names[1:]) or not (need.member or elsewhere)

    def implied_by(self, parameter: ConsumedParameter, need: Need) -> str | None:
        """The input that fills a consumed parameter which `with` does not mention; None when none
        does."""
        name = self._known(parameter.name, with_targets=True)
        if name is None and self._closed and not need.required:
            return None
        name = name or parameter.name
        self._note(name, need)
        return name

    def close(self) -> None:
        """Has consumed parameters fill from declared inputs only, where there are any: in a
        sequence of steps, parameters of one name can mean different things."""
        self._closed = bool(self._declared)

    def declares(self, name: str) -> bool:
        """Whether the file declares an input of that name, or one that differs in case, `-` and
        `_` only."""
        folded = fold_name(name)
        return any(fold_name(each) == folded for each in self._declared)

    def knows(self, name: str) -> bool:
        """Whether the name is an input that is declared, a variable of the route or URI, or an
        input that some other part needs."""
        names = (*self._declared, *self._variables, *self._in_uri, *self._needs)
        return any(fold_name(each) == fold_name(name) for each in names)

    def known_names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self._declared, *self._variables, *self._in_uri)))

    def keep_apart(self, folded: Iterable[str]) -> None:
        """Inputs whose folded names stand for several things match exactly or not at all."""
        self._apart |= set(folded)

    def read_all(self) -> None:
        """Makes inputs of all that a caller is known to give: what the file declares, and the
        variables of the route or URI."""
        unread = [parameter.name for parameter in self.unread()]
        for name in (*unread, *self._variables, *self._in_uri):
            self.name_for(InputReference(name), Need())

    @property
    def is_rest(self) -> bool:
        return self._route is not None

    def forward_body(self) -> None:
        """The body goes upstream as it is, so its fields fill no undeclared inputs."""
        self._reads_body = False

    def unread(self) -> list[InputParameter]:
        """Declared inputs that nothing of the call reads so far."""
        return [p for name, p in self._declared.items() if name not in self._needs]

    def read(self, parameter: InputParameter) -> None:
        """Makes a declared input one that the call reads, without needing it."""
        self._needs.setdefault(parameter.name, Need(optional=True))

    def plans(self) -> tuple[InputPlan, ...]:
        """All inputs: the declared ones in their order, then the implied ones."""
        names = dict.fromkeys([*self._declared, *self._needs])
        return tuple(self._plan(name) for name in names)

    def _known(self, name: str, *, with_targets: bool) -> str | None:
        for names in (self._declared, self._needs):
            if name in names:
                return name
        folded = fold_name(name)
        if folded in self._apart:
            return None
        for names in (self._declared, self._needs):
            for candidate in names:
                if fold_name(candidate) == folded:
                    return candidate
        return self._targets.get(folded) if with_targets else None

    def _note(self, name: str, need: Need) -> None:
        """Joins what several readers of one input want: the first that knows more is believed."""
        earlier = self._needs.get(name)
        if earlier is None:
            self._needs[name] = need
            return
        self._needs[name] = replace(
            earlier,
            type=earlier.type or need.type,
            description=earlier.description or need.description,
            required=earlier.required or need.required,
            schema=earlier.schema or need.schema,
            whole_body=earlier.whole_body or need.whole_body,
            place=earlier.place or need.place,
        )

    def _plan(self, name: str) -> InputPlan:
        declared = self._declared.get(name)
        need = self._needs.get(name)
        wanted = need or Need(required=False)
        type_ = declared.type if declared else wanted.type
        if wanted.place is ParameterPlace.PATH and not declared:
            numeric = (ParameterType.INTEGER, ParameterType.NUMBER)
            type_ = type_ if type_ in numeric else ParameterType.STRING
        checked = type_
        if wanted.whole_body and type_ is None:
            type_ = ParameterType.OBJECT  # advertised, as the likeliest; a list is as good
        keywords = dict(declared.schema if declared else wanted.schema)
        default: MaybeJson = keywords.pop("default", MISSING)
        constant = declared.value if declared else None
        body_path = None
        if constant is not None and is_mapping(constant):
            body_path = compile_jsonpath(constant).read
        elif constant is not None:
            default = _typed_constant(name, type_, constant)
        return InputPlan(
            name=name,
            loose="" if fold_name(name) in self._apart else fold_name(name),
            type=type_,
            schema=_schema(type_, keywords),
            description=(declared.description if declared else "") or wanted.description,
            required=need is not None
            and self._is_required(declared, wanted)
            and default is MISSING,
            default=default,
            places=()
            if constant is not None and body_path is None
            else self._places(declared, wanted, name),
            route_variable=None if constant is not None else self._route_variable(name, declared),
            whole_body=wanted.whole_body,
            body_path=body_path,
            convert=_conversion(name, checked, keywords, declared),
        )

    def _is_required(self, declared: InputParameter | None, need: Need) -> bool:
        if need.optional:
            return False
        if declared is not None and declared.required is not None:
            return declared.required
        if declared is not None and need.required is None:
            # McpToolInputParameter: required unless the file says otherwise. REST inputs of the
            # specification cannot say it: a path variable is required, the others are not.
            return self._route is None or declared.location is ParameterPlace.PATH
        return bool(need.required)

    def _route_variable(self, name: str, declared: InputParameter | None) -> str | None:
        if declared is not None and declared.location not in (None, ParameterPlace.PATH):
            return None
        if name in self._variables:
            return name
        folded = fold_name(name)
        if folded in self._apart:
            return None
        return next((v for v in self._variables if fold_name(v) == folded), None)

    def _places(
        self, declared: InputParameter | None, need: Need, name: str
    ) -> tuple[ParameterPlace, ...]:
        """Where a REST caller's value is looked for, best place first."""
        if self._route is None:
            return ()
        if need.whole_body:
            return (ParameterPlace.BODY,)
        if declared is not None and declared.location is not None:
            place = declared.location
            if place is ParameterPlace.PATH or need.place is ParameterPlace.PATH:
                return tuple(dict.fromkeys((place, ParameterPlace.QUERY)))
            return (place,)
        general = [ParameterPlace.QUERY]
        if self._reads_body:
            general.append(ParameterPlace.BODY)
        if need.place in (ParameterPlace.HEADER, ParameterPlace.COOKIE):
            return (need.place, *general)
        if fold_name(name) not in _STANDARD_HEADERS:
            general.append(ParameterPlace.HEADER)
        return tuple(general)


class InputPatternError(ValueError):
    """The pattern of an input cannot be checked. `input` is where the file declares the input; None
    where the call implies it."""

    def __init__(self, name: str, reason: str, declared: InputParameter | None) -> None:
        super().__init__(f'the pattern of "{name}" cannot be checked: {reason}')
        self.input = declared


def _conversion(
    name: str,
    type_: ParameterType | None,
    keywords: Mapping[str, JsonValue],
    declared: InputParameter | None,
) -> Convert:
    """Raises InputPatternError."""
    try:
        return compile_conversion(name, type_, keywords)
    except PatternError as error:
        raise InputPatternError(name, str(error), declared) from None


def _typed_constant(name: str, type_: ParameterType | None, constant: str) -> JsonValue:
    """A constant in the input's type. Raises ValueError when it does not fit."""
    try:
        return compile_conversion(name, type_, {})(constant, True)
    except CallFailed as failed:
        raise ValueError(f"the value of its input {failed.failure.detail}") from None


def _schema(type_: ParameterType | None, keywords: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The JSON Schema of an input, out of its type and the further keywords that the file gives."""
    known = {key: value for key, value in keywords.items() if key in _SCHEMA_KEYWORDS}
    if type_ is None:
        return known
    schema: dict[str, JsonValue] = {"type": type_.value, **known}
    if type_ is ParameterType.ARRAY:
        schema.setdefault("items", {})
    return schema


_SCHEMA_KEYWORDS = frozenset(
    "enum items properties required additionalProperties pattern format minimum maximum "
    "exclusiveMinimum exclusiveMaximum minLength maxLength minItems maxItems examples".split()
)
