"""The page at /redoc: everything that is served, to read from top to bottom, with a table of
contents. It has no forms and no scripts; texts of capability files are escaped."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Final, cast

from naftiko_runtime.exposes.rest.docs_page import digest, json_schema, pretty
from naftiko_runtime.exposes.rest.openapi import described_operations, title
from naftiko_runtime.exposes.rest.openapi_paths import Paths
from naftiko_runtime.exposes.rest.table import OwnPage, RestTable
from naftiko_runtime.json_values import JsonValue

_STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0; display: grid; grid-template-columns: minmax(12em, 20em) 1fr }
nav { padding: 1em; border-right: 1px solid #8884; height: 100vh; overflow: auto;
  position: sticky; top: 0; box-sizing: border-box }
nav ul { list-style: none; padding: 0 } nav a { text-decoration: none }
main { padding: 1em 2em; max-width: 60em; min-width: 0 }
section { border-top: 1px solid #8884; padding: 1em 0 }
code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { overflow: auto; padding: 0.7em; background: #8881; border-radius: 4px }
table { border-collapse: collapse } td { padding: 0.2em 1em 0.2em 0; vertical-align: top }
.soft { opacity: 0.7 }
@media (max-width: 45em) { body { display: block } nav { height: auto; position: static } }
"""


def reference_page(table: RestTable) -> tuple[bytes, str]:
    """The page and the Content-Security-Policy to send it with."""
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
        f" style-src '{digest(_STYLE)}'"
    )
    return "".join(_page(table)).encode(), policy


def _page(table: RestTable) -> Iterator[str]:
    heading = escape(title(table))
    described = [
        (f"op-{number}", operation.plan.method, path, operation.plan.label, description)
        for number, (operation, path, description) in enumerate(
            described_operations(table, Paths())
        )
    ]
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{_STYLE}</style></head><body><nav><ul>"
    )
    for anchor, method, path, label, _ in described:
        yield f'<li><a href="#{anchor}">{escape(label or f"{method} {path}")}</a></li>'
    yield (
        f'</ul></nav><main><h1>{heading}</h1><p class="soft">'
        f'<a href="{OwnPage.OPENAPI.value}">OpenAPI document</a> · '
        f'<a href="{OwnPage.DOCS.value}">try it</a></p>'
    )
    for anchor, method, path, label, description in described:
        yield f'<section id="{anchor}"><h2>{escape(label or path)}</h2>'
        yield f"<p><code>{escape(method)} {escape(path)}</code></p>"
        yield from _operation(description)
        yield "</section>"
    yield "</main></body></html>"


def _operation(description: dict[str, JsonValue]) -> Iterator[str]:
    text = str(description.get("description", ""))
    if text:
        yield f"<p>{escape(text)}</p>"
    parameters = cast(list[dict[str, JsonValue]], description["parameters"])
    if parameters:
        yield "<h3>Parameters</h3><table>"
        for parameter in parameters:
            schema = cast(dict[str, JsonValue], parameter["schema"])
            notes = [str(parameter["in"]), str(schema.get("type", ""))]
            notes += ["required"] if parameter["required"] else []
            yield (
                f"<tr><td><code>{escape(str(parameter['name']))}</code></td>"
                f'<td class="soft">{escape(", ".join(filter(None, notes)))}</td>'
                f"<td>{escape(str(parameter.get('description', '')))}</td></tr>"
            )
        yield "</table>"
    body = json_schema(description.get("requestBody"))
    if body is not None:
        yield f"<h3>Body</h3><pre>{escape(pretty(body))}</pre>"
    answer = json_schema(cast(dict[str, JsonValue], description["responses"])["200"])
    if answer:
        yield f"<h3>Answer</h3><pre>{escape(pretty(answer))}</pre>"
