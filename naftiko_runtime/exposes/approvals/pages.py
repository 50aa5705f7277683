"""The approval page's documents: no scripts, one style sheet, every text of a stranger escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib import resources
from typing import Final

from naftiko_runtime.exposes.approvals.shown_text import as_text, line, value_block
from naftiko_runtime.guards.approval import Decision, ParkedCall
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass

_MOST_CALLS: Final = 50
_MOST_ROWS: Final = 20
_SHORT_URL: Final = 300
_LONGEST_URL: Final = 100_000
_TITLE: Final = "Approvals"


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: `form_token` goes into each form. `halted` is None where nothing can be halted."""

    form_token: str
    now: float
    halted: bool | None


def policy() -> str:
    """The Content-Security-Policy of all documents."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    )


def login_page(*, has_password: bool, call: str | None, complaint: str = "") -> str:
    """`call` is the id of the call that the person came for."""
    if has_password:
        label, hint = "Password", ""
    else:
        label = "Token"
        hint = (
            '<p class="soft">The runtime has printed a link to this page that works once. Open it,'
            " or enter what follows <code>token=</code> in it.</p>"
        )
    said = f'<p class="notice" role="alert">{escape(complaint)}</p>' if complaint else ""
    target = f'<input type="hidden" name="call" value="{escape(call)}">' if call else ""
    return _document(
        "Log in",
        f"<header><h1>{_TITLE}</h1></header>{said}{hint}"
        f'<form method="post" action="/login">{target}'
        f'<label>{label}<input type="password" name="secret" autocomplete="current-password"'
        ' required autofocus></label><button class="yes">Log in</button></form>',
    )


def list_page(reader: Reader, calls: Sequence[ParkedCall]) -> str:
    """All calls that wait for a person."""
    shown = "".join(_article(reader, call) for call in calls[:_MOST_CALLS])
    if len(calls) > _MOST_CALLS:
        shown += f"<p>{len(calls) - _MOST_CALLS} more are waiting.</p>"
    if not calls:
        shown = "<p>Nothing waits for you. This page looks again every few seconds.</p>"
    return _document(_TITLE, f"{_header(reader)}<main>{shown}</main>{_footer(reader)}")


def call_page(reader: Reader, call: ParkedCall | None, noted: str = "") -> str:
    """One call, and what has become of it; None for one that is not there any more. `noted` is
    what the reader has just decided: `approved` or `refused`."""
    if call is None or call.decision is not Decision.OPEN:
        body = f"<p>{_fate(call, noted)}</p>"
        if call is not None:
            body += f"<article>{_description(reader, call)}</article>"
    else:
        body = _article(reader, call)
    back = '<p><a class="button" href="/">All calls</a></p>'
    return _document(_TITLE, f"{_header(reader)}<main>{body}{back}</main>{_footer(reader)}")


def confirm_page(reader: Reader, call: ParkedCall) -> str:
    """The second click."""
    path = f"/approvals/{call.id}"
    return _document(
        "Confirm",
        f"{_header(reader)}<main><article><h2>Really send this?</h2>"
        f"{_description(reader, call, whole=True)}"
        f'<div class="choice">{_decision(reader, call, "approve", "yes", "Yes, send it")}'
        f'<a class="button" href="{path}">Back</a></div></article></main>{_footer(reader)}',
    )


def message_page(title: str, text: str) -> str:
    return _document(
        title, f'<h1>{escape(title)}</h1><p>{escape(text)}</p><p><a href="/">{_TITLE}</a></p>'
    )


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_style()}</style></head><body>{body}</body></html>"
    )


@cache
def _style() -> str:
    return resources.files(__package__).joinpath("page.css").read_text("utf-8")


def _header(reader: Reader) -> str:
    halted = ""
    if reader.halted:
        halted = '<p class="halted" role="alert">Halted: nothing is changed anywhere.</p>'
    return (
        f"<header><h1>{_TITLE}</h1>{_form(reader, '/logout', 'Log out', 'small')}</header>{halted}"
    )


def _footer(reader: Reader) -> str:
    if reader.halted is None:
        return ""
    if reader.halted:
        button = _form(reader, "/halt", "Lift the halt", "", action="lift")
    else:
        button = _form(reader, "/halt", "Halt: stop all changes now", "no", action="halt")
    return f"<footer>{button}</footer>"


def _article(reader: Reader, call: ParkedCall) -> str:
    path = f"/approvals/{call.id}"
    return (
        f"<article>{_description(reader, call)}"
        f'<div class="choice"><a class="button yes" href="{path}/approve">Approve</a>'
        f"{_decision(reader, call, 'refuse', 'no', 'Refuse')}</div></article>"
    )


def _decision(reader: Reader, call: ParkedCall, decision: str, style: str, label: str) -> str:
    return _form(reader, f"/approvals/{call.id}", label, style, decision=decision)


def _form(reader: Reader, path: str, label: str, style: str, **fields: str) -> str:
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{value}">'
        for name, value in {"form_token": reader.form_token, **fields}.items()
    )
    return (
        f'<form method="post" action="{path}">{hidden}'
        f'<button class="{style}">{label}</button></form>'
    )


def _description(reader: Reader, call: ParkedCall, *, whole: bool = False) -> str:
    """All about a call; `whole`: nothing that is sent has to be unfolded."""
    request = call.request
    method = line(str(request.get("method", "")))
    url = line(str(request.get("url", "")), _LONGEST_URL if whole else _SHORT_URL)
    left = max(0, round(call.until - reader.now))
    end = datetime.fromtimestamp(call.until, UTC).strftime("%H:%M:%S UTC")
    parts = [
        f"<h2>{line(call.name)}</h2>",
        '<table class="facts">',
        _row("Who", f"{_caller(call)}, by {line(call.origin.protocol.upper())}"),
        _row("Calls", f"{line(call.operation)} (file {line(call.capability)})"),
        _row("Time left", f"{left} s, until {end}"),
        "</table>",
        _preview(call.preview),
        f"<h3>What is sent</h3><p><strong>{method}</strong> {url}</p>",
    ]
    if request.get("body") not in (None, "", {}):
        parts.append(value_block(request["body"], whole=whole))
    headers = request.get("headers")
    if headers:
        shown = value_block(headers, whole=whole)
        is_open = " open" if whole else ""
        parts.append(f"<details{is_open}><summary>Headers</summary>{shown}</details>")
    arguments = value_block(dict(call.arguments))
    parts.append(f"<details><summary>What the caller gave</summary>{arguments}</details>")
    return "".join(parts)


def _caller(call: ParkedCall) -> str:
    who = call.origin.principal
    return line(who) if who else "a caller without a name"


def _preview(preview: JsonValue) -> str:
    """What would come of it; a short object as a table."""
    if preview is None:
        return ""
    heading = "<h3>Preview, as the upstream answered</h3>"
    if isinstance(preview, Mapping) and 0 < len(preview) <= _MOST_ROWS:
        flat = all(not isinstance(value, dict | list) for value in preview.values())
        if flat:
            rows = "".join(_row(line(name), line(as_text(v), 300)) for name, v in preview.items())
            return f"{heading}<table>{rows}</table>"
    return heading + value_block(preview)


def _row(name: str, value: str) -> str:
    return f"<tr><th>{name}</th><td>{value}</td></tr>"


def _fate(call: ParkedCall | None, noted: str) -> str:
    if call is not None and call.decision is Decision.REFUSED:
        return "Refused. Nothing was sent."
    if call is not None:
        return "Approved. It is sent once, as soon as the caller asks again."
    if noted == "approved":
        return "Approved. It does not wait any more: the caller has sent it, or its time is over."
    return "This call does not wait any more: it was sent, or its time is over."
