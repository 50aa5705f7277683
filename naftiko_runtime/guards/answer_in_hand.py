"""What a call means for the keys of another one, whose question it answers."""

from __future__ import annotations

import logging
from dataclasses import field

from naftiko_runtime.engine.outcome import Answer, Outcome
from naftiko_runtime.failures import Failure, FailureKind, Question
from naftiko_runtime.guards.call_in_hand import CallInHand
from naftiko_runtime.guards.desk import Desk
from naftiko_runtime.guards.idempotency import Reply
from naftiko_runtime.guards.keys import Keys
from naftiko_runtime.guards.questions import OpenQuestion
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.state.store import StateUnavailable

_log = logging.getLogger("naftiko.guards")


def question_of(outcome: Outcome) -> Question | None:
    """The upstream's question that a call ended in, if it did."""
    if isinstance(outcome, Failure) and outcome.kind is FailureKind.QUESTION_OPEN:
        return outcome.question
    return None


@dataclass(slots=True)
class AnswerInHand:
    """For the time of one call, `owner`, that may answer a question."""

    desk: Desk
    call: CallInHand
    owner: str
    _is_begun: bool = field(default=False, init=False)
    _question: OpenQuestion | None = field(default=None, init=False)
    _is_sent: bool = field(default=False, init=False)
    _is_taken: bool = field(default=True, init=False)

    async def begin(self) -> None:
        """To be called before anything is sent that could change something. Raises
        StateUnavailable: then nothing is to be sent."""
        if self._is_begun or not self.desk.rules.has_keys():
            return
        plan = self.call.plan
        found = await self.desk.questions.find(plan.capability, plan.name, self.call.arguments())
        if found is not None:
            keys, window = found.keys, found.window
            await self.desk.claims.begin_answer(keys, self.owner, found.id, window)
        self._question, self._is_begun = found, True

    def note(self, *, sent: bool, status: int = 500) -> None:
        """Takes note of a request that may have been sent, and how it was answered."""
        self._is_sent = self._is_sent or sent
        self._is_taken = self._is_taken and status < 400

    async def end(self, outcome: Outcome) -> None:
        """Notes how the call ended. What cannot be noted stays closed."""
        found = self._question
        if found is None:
            return
        again = question_of(outcome)
        how = Reply.SENT
        if not self._is_sent:
            how = Reply.NOT_SENT
        elif again is not None:
            how = Reply.ASKED_AGAIN
        elif found.frees and self._is_taken and _is_answer(outcome):
            how = Reply.DECLINED if found.is_declined_by(self.call.arguments()) else Reply.SENT
        try:
            if again is not None:
                keys = Keys(found.keys, found.window)
                frees = found.frees
                capability = self.call.plan.capability
                await self.desk.questions.note(capability, again, keys, frees=frees)
            known_by = "" if again is None else again.id
            kept = outcome if how is Reply.ASKED_AGAIN else None
            await self.desk.claims.end_answer(
                found.keys, self.owner, how, kept, found.window, known_by
            )
        except StateUnavailable as error:
            _log.error("what became of a question cannot be kept: %s", error)


def _is_answer(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) and outcome.status < 400
