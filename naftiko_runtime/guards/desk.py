"""All that judging calls takes, as it is until the settings or the files change."""

from __future__ import annotations

from collections.abc import Callable

from naftiko_runtime.audit.journal import Journal
from naftiko_runtime.consumes.messages import Upstreams
from naftiko_runtime.guards.approvals import Approvals
from naftiko_runtime.guards.claims import Claims
from naftiko_runtime.guards.halting import Halt
from naftiko_runtime.guards.questions import Questions
from naftiko_runtime.guards.refusal_records import RefusalRecords
from naftiko_runtime.guards.rulebook import Rulebook
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.settings.model import ApprovalPage


@dataclass(frozen=True, slots=True)
class Desk:
    """A call ends at the desk where it began, but for the switch that halts all calls, which is the
    one of the latest settings. `journal` is None where nothing is recorded; `page` says where a
    person approves."""

    upstreams: Upstreams
    rules: Rulebook
    halt: Callable[[], Halt]
    approvals: Approvals
    claims: Claims
    questions: Questions
    journal: Journal | None
    refusals: RefusalRecords
    page: Callable[[], ApprovalPage]
