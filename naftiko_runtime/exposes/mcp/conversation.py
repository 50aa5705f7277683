"""Has a client ask its user what stands between a call and its success, and goes on from there.

A client of 2026-07-28 is answered `input_required` and calls again with the answer; one of the
handshake versions is asked while its call waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Final, TypeAlias

import anyio
import mcp_types as types
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.mcp.asking import Asking
from naftiko_runtime.exposes.mcp.elicitation import Reply, can_be_asked, reply_of, request_of
from naftiko_runtime.exposes.mcp.protocol import Context, is_handshake
from naftiko_runtime.exposes.mcp.rounds import Round, invalid_state, take_state, write_state
from naftiko_runtime.exposes.mcp.tools import ListedTool, ToolTable
from naftiko_runtime.exposes.mcp.wording import sentence
from naftiko_runtime.failures import Failure, FailureKind, Question
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.state.store import StateUnavailable

MOST_ROUNDS: Final = 5
_KEY: Final = "question"
"""The name of our one request among a client's inputRequests."""
_NO: Final = "the user said no, and nothing was done"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool and what it is given."""

    tool: ListedTool
    arguments: Mapping[str, JsonValue]


Run: TypeAlias = Callable[[Call], Awaitable[Outcome]]
"""Executes a call; raises nothing."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A call that was executed last, and its outcome. `final`: nobody is asked any more."""

    call: Call
    outcome: Outcome
    final: bool = False


class Conversation:
    """One call of a client with what is asked because of it."""

    def __init__(self, asking: Asking, context: Context, table: ToolTable, run: Run) -> None:
        self._asking = asking
        self._context = context
        self._table = table
        self._run = run

    async def begin(
        self, call: Call, outcome: Outcome | None = None
    ) -> Turn | types.InputRequiredResult:
        """Executes the call, unless it has been and this is its outcome, and asks as often as it
        takes."""
        if outcome is None:
            outcome = await self._run(call)
        return await self._go_on(Turn(call, outcome), 0)

    async def resume(
        self, state: str, answers: types.InputResponses | None, first: Call
    ) -> Turn | types.InputRequiredResult:
        """Goes on with what a client has brought back. Raises MCPError for a state that is not to
        be used."""
        try:
            asked = await take_state(state, self._asking.store(), self._asking.patience)
        except StateUnavailable:
            detail = "whether this was answered before cannot be looked up - try again later"
            return Turn(first, Failure(FailureKind.STATE_UNAVAILABLE, detail), final=True)
        tool, question = self._table.find(asked.tool), asked.failure.question
        if tool is None or question is None or _version(tool) != asked.version:
            raise invalid_state()
        turn = Turn(Call(tool, asked.arguments), asked.failure)
        answer = (answers or {}).get(_KEY)
        if not isinstance(answer, types.ElicitResult):
            return await self._go_on(turn, asked.number)  # asks once more
        turn = await self._follow(turn.call, asked.failure, question, reply_of(question, answer))
        return await self._go_on(turn, asked.number)

    async def _go_on(self, turn: Turn, number: int) -> Turn | types.InputRequiredResult:
        """Asks what the outcome of the `number`th round asks, and so on."""
        while (open_one := self._to_ask(turn)) is not None:
            failure, question = open_one
            if number == MOST_ROUNDS:
                return _left_open(turn.call, failure, f"{MOST_ROUNDS} questions were asked so far.")
            number += 1
            if not is_handshake(self._context):
                tool, given = turn.call.tool, turn.call.arguments
                asked = Round(number, tool.name, _version(tool), given, failure)
                return types.InputRequiredResult(
                    input_requests={_KEY: request_of(question, is_handshake=False)},
                    request_state=write_state(asked),
                )
            turn = await self._follow(turn.call, failure, question, await self._ask(question))
        return turn

    def _to_ask(self, turn: Turn) -> tuple[Failure, Question] | None:
        """The question that is open, if the client can ask it and the answer can be acted on."""
        failure, session = turn.outcome, self._context.session
        if turn.final or not isinstance(failure, Failure) or failure.question is None:
            return None
        question, version = failure.question, self._context.protocol_version
        if question.url is None and not self._table.beside(turn.call.tool, question.operation):
            return None
        if not can_be_asked(question, session.client_capabilities, version):
            return None
        if is_handshake(self._context) and not session.can_send_request:
            return None
        return failure, question

    async def _ask(self, question: Question) -> Reply:
        """Has the user of a handshake version asked, while the call waits."""
        session, id = self._context.session, self._context.request_id
        params = request_of(question, is_handshake=True).params
        with anyio.move_on_after(self._asking.patience), suppress(MCPError, ValidationError):
            if isinstance(params, types.ElicitRequestFormParams):
                result = await session.elicit_form(params.message, params.requested_schema, id)
            else:
                result = await session.elicit_url(params.message, params.url, question.id, id)
            return reply_of(question, result)
        return Reply.NOTHING

    async def _follow(self, call: Call, failure: Failure, question: Question, reply: Reply) -> Turn:
        """Does what the reply asks for."""
        if question.url is not None:
            if reply is not Reply.YES:
                return _left_open(call, failure, "The user did not open the address.")
            return await self._repeat(call, question)
        if reply is Reply.NOTHING:
            return _left_open(call, failure, "The user did not answer.")
        arguments = question.accept if reply is Reply.YES else question.decline
        if not arguments and reply is Reply.NO:
            return Turn(call, replace(failure, detail=_NO, question=None))
        tool = self._table.beside(call.tool, question.operation)
        if tool is None:
            return _left_open(call, failure, "What carries out an answer is not there any more.")
        answering = Call(tool, arguments)
        return Turn(answering, await self._run(answering))

    async def _repeat(self, call: Call, question: Question) -> Turn:
        """The same call once more, after the person has decided at an address."""
        if self._asking.decided is not None:
            with anyio.move_on_after(self._asking.patience), suppress(StateUnavailable):
                await self._asking.decided(question.id)
        outcome = await self._run(call)
        asked = outcome.question if isinstance(outcome, Failure) else None
        if isinstance(outcome, Failure) and asked is not None and asked.id == question.id:
            return _left_open(call, outcome, "Nobody has decided so far.")
        return Turn(call, outcome)


def _version(tool: ListedTool) -> str:
    operation = tool.plan.operation
    return f"{operation.capability}\n{operation.name}\n{operation.version}"


def _left_open(call: Call, failure: Failure, note: str) -> Turn:
    """The end of a call whose question nobody has answered: its caller is told how to go on."""
    detail = f"{sentence(failure.detail)} {note}"
    return Turn(call, replace(failure, detail=detail), final=True)
