"""Compiles the parts of an upstream request that consumed parameters fill: URL and headers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from naftiko_runtime.document.dialects import fold_name
from naftiko_runtime.document.model import (
    Authentication,
    BindReference,
    ConsumedOperation,
    ConsumedParameter,
    Consumes,
    InputReference,
    ParameterPlace,
    references_of,
)
from naftiko_runtime.json_values import JsonValue, MaybeJson, Missing
from naftiko_runtime.plan.credentials import CREDENTIALS, Carried
from naftiko_runtime.plan.getters import Compiler, Getter, input_getter, nothing
from naftiko_runtime.plan.header_names import NAME, RESERVED
from naftiko_runtime.plan.headers import compile_cookies, compile_headers
from naftiko_runtime.plan.inputs import Need, need_of, shared_folds
from naftiko_runtime.plan.operation import Scope
from naftiko_runtime.plan.url import Base, compile_url

_CARRIES_CREDENTIALS = frozenset(
    {ParameterPlace.HEADER, ParameterPlace.QUERY, ParameterPlace.COOKIE}
)
_CREDENTIAL = re.compile(r"auth|cookie|credential|key|passw|secret|session|signature|token", re.I)


class Parts:
    """Compiles the parts of one request; lives while its call is compiled.

    Parameters with a `value` are compiled first, in their order: the templates of later ones, of
    the path, the body and the credentials can refer to them by name, and get them rather than an
    argument or a caller's input of that name.
    """

    def __init__(
        self, compiler: Compiler, consumes: Consumes, operation: ConsumedOperation
    ) -> None:
        self._operation = operation
        self._fixed: dict[str, Getter] = {}
        for parameter in operation.parameters:
            if parameter.value is not None:
                get = _fixed(parameter, compiler)
                self._fixed[_key(parameter)] = get
                joined = compiler.arguments.joined(parameter.name, get)
                compiler = replace(compiler, arguments=joined)
        self.compiler = compiler
        self.caller_gives_credential = consumes.authentication is not None and any(
            isinstance(reference, InputReference)
            for template in consumes.authentication.fields.values()
            for reference in template.references
        )
        self.secrets = _fixed_secrets(operation, compiler)
        self.carried = _compile_credentials(consumes.authentication, compiler)

    def fill(self, parameter: ConsumedParameter, need: Need | None = None) -> Getter:
        """What fills a consumed parameter: its own `value`, else the argument in `with`, else the
        caller's input of the same name; a default of the file where none of them is given."""
        fixed = self._fixed.get(_key(parameter))
        if fixed is not None:
            return fixed
        argument = self.compiler.arguments.find(parameter.name)
        if argument is None:
            need = need or need_of(parameter)
            name = self.compiler.collector.implied_by(parameter, need)
            return nothing if name is None else input_getter(name)
        default = parameter.schema.get("default")
        return argument if default is None else _or_default(argument, default)

    def url(self, base: Base) -> Callable[[Scope], str]:
        query = [
            (parameter.name, self.fill(parameter))
            for parameter in self._at(ParameterPlace.QUERY)
            if not self._is_managed(parameter)
        ]
        if self.carried is not None and self.carried.in_query:
            query.append((self.carried.name, self.carried.read))
        return compile_url(
            base, self._operation.url_path, query, self.compiler, path_needs(self._operation)
        )

    def headers(self) -> Callable[[Scope], list[tuple[str, str]]]:
        """Headers of parameters. Raises ValueError for a name that no header can have."""
        headers: list[tuple[str, Getter]] = []
        for parameter in self._at(ParameterPlace.HEADER):
            if parameter.name.lower() in RESERVED or self._is_managed(parameter):
                continue
            if not NAME.fullmatch(parameter.name):
                raise ValueError(f'"{parameter.name}" is no name of a header')
            headers.append((parameter.name, self.fill(parameter)))
        cookie = compile_cookies([(p.name, self.fill(p)) for p in self._at(ParameterPlace.COOKIE)])
        if cookie is not None:
            headers.append(("Cookie", cookie))
        return compile_headers(headers)

    def _at(self, place: ParameterPlace) -> list[ConsumedParameter]:
        return [p for p in self._operation.parameters if p.location is place]

    def _is_managed(self, parameter: ConsumedParameter) -> bool:
        """Whether the credentials set what the parameter would: no caller can replace them."""
        carried = self.carried
        if carried is None:
            return False
        if carried.in_query:
            return parameter.location is ParameterPlace.QUERY and parameter.name == carried.name
        is_header = parameter.location is ParameterPlace.HEADER
        return is_header and parameter.name.lower() == carried.name.lower()


def path_needs(operation: ConsumedOperation) -> dict[str, Need]:
    """What the path's variables want, by their names in the path: a value, and what `in: path`
    parameters say of them (whose names may differ in case, `-` and `_`)."""
    said = [p for p in operation.parameters if p.location is ParameterPlace.PATH]
    exact = {parameter.name: need_of(parameter) for parameter in said}
    folded = {fold_name(name): need for name, need in exact.items()}
    needs: dict[str, Need] = {}
    for reference in operation.url_path.references:
        if isinstance(reference, InputReference):
            name = ".".join((reference.name, *reference.rest))
            plain = Need(required=True, place=ParameterPlace.PATH)
            needs[name] = exact.get(name) or folded.get(fold_name(name)) or plain
    return needs


def names_apart(operation: ConsumedOperation) -> set[str]:
    """The folded names under which an operation has several parameters, or several variables in
    its path: what fills them has to be called exactly as they are."""
    parameters = [p.name for p in operation.parameters if p.location is not ParameterPlace.PATH]
    return shared_folds(parameters) | shared_folds(list(path_needs(operation)))


def _key(parameter: ConsumedParameter) -> str:
    return f"{parameter.location}:{parameter.name}"


def _fixed(parameter: ConsumedParameter, compiler: Compiler) -> Getter:
    """A parameter's own `value`. One that is made of a variable that is set but empty is not sent:
    empty means that there is none (`Authorization: "Bearer {{TOKEN}}"` as a header)."""
    assert parameter.value is not None
    if parameter.location in _CARRIES_CREDENTIALS and "" in _variables(parameter, compiler):
        return lambda scope: Missing.MISSING
    return compiler.value(parameter.value, need_of(parameter))


def _variables(parameter: ConsumedParameter, compiler: Compiler) -> list[str | None]:
    """The values of the variables that a parameter's own `value` refers to."""
    references = () if parameter.value is None else references_of(parameter.value)
    return [compiler.variables.find(r) for r in references if isinstance(r, BindReference)]


def _fixed_secrets(operation: ConsumedOperation, compiler: Compiler) -> tuple[str, ...]:
    """Variables in parameters that are credentials by their name (`X-Api-Key`), which have to be
    hidden as those under `authentication` are."""
    return tuple(
        value
        for parameter in operation.parameters
        if parameter.location in _CARRIES_CREDENTIALS and _CREDENTIAL.search(parameter.name)
        for value in _variables(parameter, compiler)
        if value
    )


def _or_default(get: Getter, default: JsonValue) -> Getter:
    def read(scope: Scope) -> MaybeJson:
        value = get(scope)
        return default if isinstance(value, Missing) else value

    return read


def _compile_credentials(
    authentication: Authentication | None, compiler: Compiler
) -> Carried | None:
    if authentication is None:
        return None
    return CREDENTIALS[authentication.type](authentication, compiler)
