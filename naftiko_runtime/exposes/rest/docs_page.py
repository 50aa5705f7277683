"""The page at /docs: what is served, operation by operation, with a form to try each.

One document without outside parts. Texts come from capability files, which may be strangers':
they are escaped here, and the content security policy allows no script but our own.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from importlib import resources
from itertools import groupby
from typing import Final, cast

import msgspec

from naftiko_runtime.exposes.rest.forwards import ServedForward
from naftiko_runtime.exposes.rest.openapi import described_operations, title
from naftiko_runtime.exposes.rest.openapi_forwards import described_forwards
from naftiko_runtime.exposes.rest.openapi_paths import Paths
from naftiko_runtime.exposes.rest.table import OwnPage, RestTable, ServedOperation
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue

_SAMPLE_DEPTH: Final = 4
_SAMPLES: Final[dict[str, JsonValue]] = {
    "string": "",
    "integer": 0,
    "number": 0,
    "boolean": False,
    "array": [],
    "object": {},
}


def docs_page(table: RestTable) -> tuple[bytes, str]:
    """The page and the Content-Security-Policy to send it with."""
    style = _asset("docs_page.css")
    script = _asset("docs_page.js")
    text = "".join(_page(table, style, script))
    policy = (
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none';"
        f" frame-ancestors 'none'; style-src '{digest(style)}'; script-src '{digest(script)}'"
    )
    return text.encode(), policy


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text("utf-8")


def digest(text: str) -> str:
    """A text as a Content-Security-Policy names it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _page(table: RestTable, style: str, script: str) -> Iterator[str]:
    heading = escape(title(table))
    count = _count(len(table.operations), "operation")
    if table.forwards.served:
        count += " · " + _count(len(table.forwards.served), "forwarded path")
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{style}</style></head><body>"
        f"<header><h1>{heading}</h1>"
        f'<p class="soft">{count} · '
        f'<a href="{OwnPage.OPENAPI.value}">OpenAPI document</a></p>'
        '<input id="filter" type="search" placeholder="Filter by path, name or text"'
        ' aria-label="Filter operations"></header><main>'
    )
    paths = Paths()
    for section, operations in groupby(described_operations(table, paths), key=_section):
        yield from _heading(section)
        for operation, path, description in operations:
            yield from _operation(operation, path, description)
        yield "</section>"
    for section, forwards in groupby(described_forwards(table, paths), key=_section):
        yield from _heading(section)
        for forward, path, description in forwards:
            yield _forward(forward, path, description)
        yield "</section>"
    yield f"</main><script>{script}</script></body></html>"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _section(
    entry: tuple[ServedOperation | ServedForward, str, dict[str, JsonValue]],
) -> tuple[str, str, str]:
    """What one adapter serves stands together, under the name of its file."""
    adapter = entry[0].adapter
    return entry[0].label, adapter.description, adapter.namespace


def _heading(section: tuple[str, str, str]) -> Iterator[str]:
    label, text, _ = section
    yield f"<section><h2>{escape(label)}</h2>"
    if text:
        yield f'<p class="soft">{escape(text)}</p>'


def _forward(forward: ServedForward, path: str, description: dict[str, JsonValue]) -> str:
    """What is forwarded has no form: the upstream's own documentation says what can be asked."""
    plan = forward.plan
    summary = plan.label or f"goes on to {plan.upstream}"
    text = str(description["description"])
    searched = escape(f"any {path} {plan.upstream} {summary} {text}".lower())
    names = ", ".join(sorted(plan.trusted)) or "none"
    return (
        f'<details class="operation" data-text="{searched}"><summary>'
        '<span class="method ANY">ANY</span>'
        f'<span class="path">{escape(path)}</span>'
        f'<span class="soft">{escape(summary)}</span></summary><div>'
        f"<p>{escape(text)}</p><p>Headers that go along: {escape(names)}</p></div></details>"
    )


def _operation(
    operation: ServedOperation, path: str, description: dict[str, JsonValue]
) -> Iterator[str]:
    plan = operation.plan
    method = escape(plan.method)
    summary = plan.label or plan.name
    searched = escape(f"{plan.method} {path} {plan.name} {summary} {plan.description}".lower())
    yield (
        f'<details class="operation" data-text="{searched}"><summary>'
        f'<span class="method {method}">{method}</span>'
        f'<span class="path">{escape(path)}</span>'
        f'<span class="soft">{escape(summary)}</span></summary><div>'
    )
    if plan.description:
        yield f"<p>{escape(plan.description)}</p>"
    yield f'<form data-method="{method}" data-path="{escape(path)}">'
    for parameter in cast(list[dict[str, JsonValue]], description["parameters"]):
        yield _field(parameter)
    body = json_schema(description.get("requestBody"))
    if body is not None:
        sample = escape(pretty(_sample(body, _SAMPLE_DEPTH)))
        yield f"<h3>Body (JSON)</h3><textarea spellcheck=false>{sample}</textarea>"
        yield _schema("Schema of the body", body)
    yield (
        '<pre class="curl"></pre>'
        f"<button>Send {method}</button><output><pre hidden></pre></output></form>"
    )
    answer = json_schema(cast(dict[str, JsonValue], description["responses"])["200"])
    if answer:
        yield _schema("Schema of the answer", answer)
    yield "</div></details>"


def _field(parameter: dict[str, JsonValue]) -> str:
    name = escape(str(parameter["name"]))
    place = escape(str(parameter["in"]))
    schema = cast(dict[str, JsonValue], parameter["schema"])
    kind = escape(str(schema.get("type", "")))
    required = bool(parameter["required"])
    notes = ", ".join(filter(None, (place, kind, "required" if required else "")))
    default = escape(str(schema["default"])) if "default" in schema else ""
    described = escape(str(parameter.get("description", "")))
    return (
        f'<div class="field"><label>{name}<small>{notes}</small></label>'
        f'<div><input data-name="{name}" data-place="{place}" data-type="{kind}"'
        f' aria-label="{name}" placeholder="{default}"{" required" if required else ""}>'
        f"<small>{described}</small></div></div>"
    )


def json_schema(part: JsonValue) -> dict[str, JsonValue] | None:
    """The schema of the JSON content of a request body or response object."""
    if not isinstance(part, dict):
        return None
    content = cast(dict[str, dict[str, dict[str, JsonValue]]], part["content"])
    json_content = content.get("application/json")
    return None if json_content is None else json_content["schema"]


def _schema(heading: str, schema: dict[str, JsonValue]) -> str:
    return f"<details><summary>{heading}</summary><pre>{escape(pretty(schema))}</pre></details>"


def pretty(value: JsonValue) -> str:
    """A value as indented JSON."""
    return msgspec.json.format(encode_json(value), indent=2).decode()


def _sample(schema: JsonValue, depth: int) -> JsonValue:
    """A value to start from when filling in a body: its fields with defaults or empty values."""
    if not isinstance(schema, dict):
        return None
    for key in ("default", "example", "const"):
        if key in schema:
            return schema[key]
    properties = schema.get("properties")
    if isinstance(properties, dict) and depth:
        return {name: _sample(inner, depth - 1) for name, inner in properties.items()}
    items = schema.get("items")
    if isinstance(items, dict) and depth:
        return [_sample(items, depth - 1)]
    kind = schema.get("type")
    return _SAMPLES.get(kind) if isinstance(kind, str) else {}
