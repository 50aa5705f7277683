"""An engine whose calls need a person's word: an approval, or an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from naftiko_runtime.engine.outcome import Outcome
from naftiko_runtime.exposes.mcp.table import McpTable
from naftiko_runtime.failures import Failure, FailureKind, Question
from naftiko_runtime.json_values import JsonValue, Missing
from naftiko_runtime.plan.operation import Inputs, OperationPlan
from tests.exposes.mcp.plans import a_table, a_tool, an_input, json_answer

PAGE = "http://127.0.0.1:9099/approvals/a-1"
QUESTION = "The price is far off the market. Place it all the same?"


def a_trading_table() -> McpTable:
    """`place-order` may ask, `reply` answers; `drop` asks what nothing can answer."""
    return a_table(
        a_tool("place-order", an_input("symbol"), an_input("quantity", "number")),
        a_tool("reply", an_input("id"), an_input("confirmed", "boolean")),
        a_tool("drop"),
    )


@dataclass
class Gateway:
    """`needs` says what placing needs: any of `approval` and `answer`. `questions` is how often an
    answer is followed by a question. `calls` are all calls made, `placed` the orders."""

    needs: frozenset[str] = frozenset()
    questions: int = 0
    approved: bool = False
    reply_needs_approval: bool = False
    calls: list[tuple[str, Mapping[str, JsonValue]]] = field(default_factory=list)
    placed: int = 0

    async def execute(self, plan: OperationPlan, inputs: Inputs) -> Outcome:
        values: dict[str, JsonValue] = {}
        for each in plan.inputs:
            value, textual = inputs.find(each)
            if not isinstance(value, Missing):
                values[each.name] = each.convert(value, textual)
        self.calls.append((plan.name, values))
        if plan.name == "drop":
            return asking("nowhere")
        if plan.name == "place-order":
            return self._place()
        return self._reply(values)

    def _place(self) -> Outcome:
        if "approval" in self.needs and not self.approved:
            return needing_approval("a-1")
        self.approved = False
        if "answer" in self.needs:
            return asking("reply")
        self.placed += 1
        return json_answer({"order": self.placed})

    def _reply(self, values: Mapping[str, JsonValue]) -> Outcome:
        if not values["confirmed"]:
            return json_answer({"dropped": True})
        if self.reply_needs_approval and not self.approved:
            return needing_approval("a-2")
        if self.questions:
            self.questions -= 1
            return asking("reply")
        self.placed += 1
        return json_answer({"order": self.placed})


def needing_approval(id: str) -> Failure:
    url = PAGE.replace("a-1", id)
    approval: JsonValue = {
        "id": id,
        "url": url,
        "expires": "2026-11-21T12:00:00Z",
        "preview": {"commission": "1.02 USD"},
    }
    return Failure(
        FailureKind.APPROVAL_REQUIRED,
        "a person has to approve it",
        details={"approval": approval},
        question=Question(id, "Buy 5 AAPL?", url=url),
    )


def asking(operation: str) -> Failure:
    question = Question(
        "q-1",
        QUESTION,
        operation=operation,
        accept={"id": "q-1", "confirmed": True},
        decline={"id": "q-1", "confirmed": False},
    )
    return Failure(FailureKind.QUESTION_OPEN, "the gateway asks first", question=question)
