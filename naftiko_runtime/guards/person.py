"""Has a person decide about a request before it is sent."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Final

from naftiko_runtime.failures import CallFailed
from naftiko_runtime.guards import refusals
from naftiko_runtime.guards.approval import Effect, ParkedCall
from naftiko_runtime.guards.approvals import NoRoom, TooLarge
from naftiko_runtime.guards.call_in_hand import CallInHand
from naftiko_runtime.guards.desk import Desk
from naftiko_runtime.guards.identity import approval_hash
from naftiko_runtime.guards.preview import preview_of
from naftiko_runtime.guards.request_document import describe_request
from naftiko_runtime.json_values import JsonValue
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.settings.model import Approval

_LOOK: Final = 0.25
_SHOWN_ID: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_ID_LENGTH: Final = 10


@dataclass(frozen=True, slots=True)
class Person:
    """Whoever approves calls, as one call meets him."""

    desk: Desk
    call: CallInHand

    async def approve(
        self, request: UpstreamRequest, approvals: Sequence[Approval], *, here: bool
    ) -> None:
        """Returns once a person's yes to this request is used up by it. `here` has the call wait
        for it, where it cannot be made again as a whole. Raises CallFailed where there is no yes,
        and StateUnavailable."""
        hash_ = approval_hash(self.call.inputs.origin, self.call.plan, request)
        try:
            effect, record = await self._ask(hash_, request, approvals)
        except NoRoom as full:
            raise CallFailed(refusals.no_room(self.call.plan.name, full.seconds)) from None
        except TooLarge:
            raise CallFailed(refusals.too_large(self.call.plan.name)) from None
        if effect is Effect.WAIT and here:
            effect = await self._wait(hash_, record)
        elif effect is Effect.WAIT:
            raise CallFailed(refusals.approval_required(record, self.desk.page()))
        if effect is Effect.REFUSE:
            raise CallFailed(refusals.approval_refused(record))
        if effect is not Effect.SEND:
            raise CallFailed(refusals.approval_missed(record))

    async def _ask(
        self, hash_: str, request: UpstreamRequest, approvals: Sequence[Approval]
    ) -> tuple[Effect, ParkedCall]:
        """Raises NoRoom and TooLarge."""
        known = await self.desk.approvals.find(hash_)
        preview: JsonValue = None
        path = next((each.preview for each in approvals if each.preview), None)
        if known is None and path is not None and request.method != "DELETE":
            await self.desk.approvals.check_room(self.call.inputs.origin)
            preview = await preview_of(request, path, self.desk.upstreams)
        parked = self._parked(request, min(each.expires for each in approvals), preview)
        return await self.desk.approvals.ask(hash_, parked)

    async def _wait(self, hash_: str, call: ParkedCall) -> Effect:
        while True:
            await asyncio.sleep(_LOOK)
            record = await self.desk.approvals.find(hash_)
            if record is None or record.id != call.id:
                return Effect.TOO_LATE
            effect, _ = await self.desk.approvals.ask(hash_, call)
            if effect is not Effect.WAIT:
                return effect

    def _parked(self, request: UpstreamRequest, expires: float, preview: JsonValue) -> ParkedCall:
        described = describe_request(request)
        return ParkedCall(
            id="".join(secrets.choice(_SHOWN_ID) for _ in range(_ID_LENGTH)),
            origin=self.call.inputs.origin,
            capability=self.call.plan.capability,
            name=self.call.plan.name,
            operation=request.operation,
            request={name: value for name, value in described.items() if name != "operation"},
            arguments=self.call.shown_arguments(request),
            until=0.0,
            expires=expires,
            preview=preview,
        )
