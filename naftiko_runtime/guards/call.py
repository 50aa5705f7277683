"""One call, judged request by request as each would really be sent."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.execute import execute
from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.failures import CallFailed, FailureKind, Question
from naftiko_runtime.guards import refusals
from naftiko_runtime.guards.answer_in_hand import AnswerInHand, question_of
from naftiko_runtime.guards.call_in_hand import CallInHand
from naftiko_runtime.guards.desk import Desk
from naftiko_runtime.guards.idempotency import Settled, Standing
from naftiko_runtime.guards.keys import Keys, keys_of
from naftiko_runtime.guards.limits import breach_of
from naftiko_runtime.guards.person import Person
from naftiko_runtime.guards.records import Recording
from naftiko_runtime.guards.request_document import describe_request, document_of
from naftiko_runtime.json_codec import encode_json
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.calls import changes_nothing
from naftiko_runtime.plan.operation import CallPlan, Inputs, OperationPlan, UpstreamRequest
from naftiko_runtime.settings.model import GuardRule, Mode
from naftiko_runtime.state.store import StateUnavailable

_log = logging.getLogger("naftiko.guards")

_REFUSED_AFTER_ALL: Final = frozenset({408, 499})
"""Statuses of the 4xx class after which the upstream may have executed the request."""


class _CutShort(Exception):
    """Ends a call without sending what it was about to send; carries what it ends in."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("the call ended early")
        self.outcome = outcome


@dataclass(slots=True)
class _Claimed:
    """Keys of a request of this call. `is_known` says that the upstream answered it."""

    keys: Keys
    is_known: bool = False


class GuardedCall:
    """Implements `Upstreams` for one call, so that nothing of it goes around the guards."""

    def __init__(self, desk: Desk, plan: OperationPlan, inputs: Inputs) -> None:
        self._desk = desk
        self._plan = plan
        self._inputs = inputs
        self._call = CallInHand(plan, inputs)
        self._person = Person(desk, self._call)
        self._owner = secrets.token_hex(16)
        self._claimed: list[_Claimed] = []
        self._last_change: _Claimed | None = None
        self._has_changed = False
        self._answer = AnswerInHand(desk, self._call, self._owner)

    async def run(self) -> Outcome:
        """Executes the call; see `execute`."""
        outcome: Outcome
        try:
            outcome = await execute(self._plan, self._inputs, self)
        except _CutShort as cut:
            outcome = cut.outcome
        await self._settle(outcome)
        return outcome

    async def aclose(self) -> None:
        """The client is the process's."""

    async def send(self, request: UpstreamRequest) -> UpstreamResponse:
        """Sends a request if the operator's rules allow it. Raises CallFailed where they do not."""
        rules = self._desk.rules.rules_for(request, self._inputs.origin.protocol)
        may_change = self._desk.rules.may_change(self._plan, request, rules)
        if self._inputs.dry_run:
            is_only_one = isinstance(self._plan.action, CallPlan)
            if is_only_one or may_change or not changes_nothing(request):  # whatever a tool says
                raise _CutShort(_described(request))
        try:
            keys = await self._judged(request, rules, may_change=may_change)
            if not may_change:
                return await self._desk.upstreams.send(request)
            return await self._send(request, keys, rules)
        except StateUnavailable as error:
            _log.error("a call was not made: %s", error)
            why = "the state that the guards share cannot be reached"
            raise CallFailed(refusals.unavailable(FailureKind.STATE_UNAVAILABLE, why)) from error

    # Before

    async def _judged(
        self, request: UpstreamRequest, rules: Sequence[GuardRule], *, may_change: bool
    ) -> Keys | None:
        """As `_judge`, and records what it refuses."""
        try:
            return await self._judge(request, rules, may_change=may_change)
        except CallFailed as failed:
            why = failed.failure
            await self._desk.refusals.note(
                self._desk.journal,
                lambda: self._call.entry(request, rules),
                why.kind.slug,
                why.detail,
            )
            raise

    async def _judge(
        self, request: UpstreamRequest, rules: Sequence[GuardRule], *, may_change: bool
    ) -> Keys | None:
        """The keys under which the request is to be claimed. Raises CallFailed where it is not to
        be sent, and StateUnavailable."""
        if may_change:
            await self._check_halt()
            if any(rule.mode is Mode.READ_ONLY for rule in rules):
                raise CallFailed(refusals.read_only(request.operation))
        limits = tuple(limit for rule in rules for limit in rule.limits)
        repeating = [rule.idempotency for rule in rules if rule.idempotency] if may_change else []
        keys = None
        if limits or repeating:
            document = document_of(request, self._call.arguments())
            breach = breach_of(limits, document, request.operation)
            if breach is not None:
                raise CallFailed(breach)
            keys = keys_of(request, repeating, document)
        if keys is not None:
            found = await self._desk.claims.look(
                keys.names, self._owner, self._call.repeats(request)
            )
            self._stand_by(found.standing, found.outcome, request)
        approvals = [rule.approve for rule in rules if rule.approve]
        if may_change and approvals:
            await self._person.approve(request, approvals, here=self._has_changed)
        return keys

    async def _check_halt(self) -> None:
        reason = await self._desk.halt().reason()
        if reason is not None:
            raise CallFailed(refusals.halted(reason))

    def _stand_by(
        self, standing: Standing, outcome: Outcome | None, request: UpstreamRequest
    ) -> None:
        if standing is Standing.REPLAY and outcome is not None:
            raise _CutShort(outcome)
        if standing is not Standing.OURS:
            raise CallFailed(refusals.key_taken(request.operation, standing))

    # Sending

    async def _send(
        self, request: UpstreamRequest, keys: Keys | None, rules: Sequence[GuardRule]
    ) -> UpstreamResponse:
        """Raises CallFailed, and StateUnavailable when nothing was sent."""
        recording = Recording(self._desk.journal, lambda: self._call.entry(request, rules))
        await recording.begin()
        claimed: _Claimed | None = None
        try:
            if rules or self._desk.journal is not None:  # which may have taken their time
                await self._check_halt()
            claimed = self._last_change = await self._claim(request, keys)
            await self._answer.begin()
            # It may come while the request waits for its turn, too
            permitted = replace(request, permit=self._check_halt)
            response = await self._desk.upstreams.send(permitted)
        except CallFailed as failed:
            await recording.failed(failed.failure)
            self._answer.note(sent=failed.failure.executed)
            if claimed is not None and not failed.failure.executed:
                await self._release(claimed)
            self._has_changed = self._has_changed or failed.failure.executed
            raise
        except StateUnavailable:
            await recording.left_out(FailureKind.STATE_UNAVAILABLE.slug)
            if claimed is not None:
                await self._release(claimed)
            raise
        except _CutShort:
            await recording.left_out("repeated")
            raise
        await recording.answered(response.status)
        self._answer.note(sent=True, status=response.status)
        await self._note(claimed, response.status)
        return response

    async def _claim(self, request: UpstreamRequest, keys: Keys | None) -> _Claimed | None:
        if keys is None:
            return None
        same = self._call.repeats(request)
        found = await self._desk.claims.take(keys.names, self._owner, same, keys.window)
        self._stand_by(found.standing, found.outcome, request)
        claimed = _Claimed(keys)
        self._claimed.append(claimed)
        return claimed

    # After

    async def _note(self, claimed: _Claimed | None, status: int) -> None:
        refused = 400 <= status < 500 and status not in _REFUSED_AFTER_ALL
        self._has_changed = self._has_changed or not refused
        if claimed is None:
            return
        if refused:
            await self._release(claimed)
        else:
            claimed.is_known = status < 500

    async def _release(self, claimed: _Claimed) -> None:
        self._claimed.remove(claimed)
        await self._settled(claimed, Settled.NOT_EXECUTED, None)

    async def _settle(self, outcome: Outcome) -> None:
        """Notes for repetitions how the whole call ended. A question is about the one request that
        has keys; a no leaves nothing of it where it can only be the answer to that request."""
        question = question_of(outcome)
        await self._answer.end(outcome)
        for claimed in self._claimed:
            if question is not None and len(self._claimed) == 1 and claimed.is_known:
                await self._ask(claimed, outcome, question)
            elif claimed.is_known:
                await self._settled(claimed, Settled.ANSWERED, outcome)
            else:
                await self._settled(claimed, Settled.UNKNOWN, None)

    async def _ask(self, claimed: _Claimed, outcome: Outcome, question: Question) -> None:
        """Has repetitions get the question, and whoever answers it find the keys."""
        frees = claimed is self._last_change
        keys = claimed.keys
        try:
            await self._desk.questions.note(self._plan.capability, question, keys, frees=frees)
        except StateUnavailable as error:
            _log.error("the question that a call ended in cannot be kept: %s", error)
        await self._settled(claimed, Settled.ASKED, outcome, question.id)

    async def _settled(
        self, claimed: _Claimed, how: Settled, outcome: Outcome | None, question: str = ""
    ) -> None:
        """What cannot be noted stays claimed: repetitions are told that nobody knows."""
        keys = claimed.keys
        try:
            await self._desk.claims.settle(
                keys.names, self._owner, how, outcome, keys.window, question
            )
        except StateUnavailable as error:
            _log.error("the outcome of a call cannot be kept for repetitions: %s", error)


def _described(request: UpstreamRequest) -> Answer:
    document: dict[str, JsonValue] = {"dryRun": True, **describe_request(request)}
    return Answer(200, "application/json", encode_json(document), (), document)
