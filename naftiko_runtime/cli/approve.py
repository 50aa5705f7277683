"""Approve or refuse a call that waits for a person.

The operator's settings say which calls are not made before somebody has approved them. Those that
wait are shown on the approval page of the running process, whose address `naftiko serve` prints,
and by `--list`. An approval holds for the one request that is shown, once, and for a minute unless
the settings say otherwise.

It asks the processes that the same user has started on this machine; no other program gets the
key with which it does.

examples:
  naftiko approve --list             what waits, with all that would be sent
  naftiko approve k7m2pq4xwd         let this one be sent
  naftiko approve --refuse k7m2pq4xwd
"""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from naftiko_runtime.cli.options import UsageError

if TYPE_CHECKING:
    from naftiko_runtime.json_values import JsonValue
    from naftiko_runtime.serving.operator_client import WaitingCall


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="?", metavar="ID", help="the call to approve, by its id")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--refuse", metavar="ID", help="do not let this call be sent")
    action.add_argument("--list", action="store_true", help="show all calls that wait")


def run(arguments: argparse.Namespace) -> int:
    from naftiko_runtime.exposes.approvals.shown_text import for_terminal
    from naftiko_runtime.serving.operator_client import OperatorError, decide, waiting_calls

    chosen = [each for each in (arguments.id, arguments.refuse, arguments.list) if each]
    if len(chosen) != 1:
        raise UsageError("give the id of a call, --refuse ID, or --list")
    try:
        calls = waiting_calls()
        if arguments.list:
            return _list(calls)
        wanted = arguments.id or arguments.refuse
        found = next((call for call in calls if call.id == wanted), None)
        if found is None or not decide(found, approve=arguments.id is not None):
            shown = for_terminal(wanted[:100])
            return _fail(f'no call "{shown}" waits - "naftiko approve --list" shows all')
    except OperatorError as error:
        return _fail(str(error))
    print(_text(found))
    if arguments.id is not None:
        print("\napproved: it is sent once, as soon as its caller asks again")
    else:
        print("\nrefused: nothing is sent")
    return 0


def _list(calls: list[WaitingCall]) -> int:
    if not calls:
        print("nothing waits for approval")
    print("\n\n".join(_text(call) for call in calls), end="\n" if calls else "")
    return 0


def _text(call: WaitingCall) -> str:
    from naftiko_runtime.exposes.approvals.shown_text import for_terminal

    document = call.document
    request = document["request"]
    assert isinstance(request, dict)
    who = str(document["principal"]) or "a caller without a name"
    lines = [
        f"{call.id}  {document['seconds']} s left",
        f"  who      {_indented(who)}, by {_indented(str(document['protocol']).upper())}",
        f"  calls    {_indented(document['name'])} = {_indented(document['operation'])}",
        f"  sends    {_indented(request.get('method', ''))} {_indented(request.get('url', ''))}",
    ]
    if request.get("body") not in (None, "", {}):
        lines.append(f"  body     {_indented(request['body'])}")
    if request.get("headers"):
        lines.append(f"  headers  {_indented(request['headers'])}")
    if document.get("preview") is not None:
        lines.append(f"  preview  {_indented(document['preview'])}")
    return for_terminal("\n".join(lines))


def _indented(value: JsonValue) -> str:
    """A value whose further lines cannot pass for ours."""
    from naftiko_runtime.exposes.approvals.shown_text import as_text

    return as_text(value).replace("\n", "\n           ")


def _fail(message: str) -> int:
    print(message, file=sys.stderr)
    return 1
