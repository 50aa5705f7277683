"""Which port serves what: the adapters of all files, put together by the port they name."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import field
from functools import cache
from typing import TypeAlias

from naftiko_runtime.document.model import McpTransport
from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.plan.adapters import ControlAdapterPlan, SkillAdapterPlan
from naftiko_runtime.plan.operation import CapabilityPlan, McpAdapterPlan, RestAdapterPlan
from naftiko_runtime.problems import Consequence, Place, Problem, Severity
from naftiko_runtime.serving.settings import PortSettings

LOOPBACK = "127.0.0.1"

PortKey: TypeAlias = tuple[int, str]


@dataclass(frozen=True, slots=True)
class PortPlan:
    """One listener: where it opens, and the adapters that answer there, each with the label of
    its capability.

    `declared` is the port that the files name (the lowest, if several were moved to one), `port`
    the one to open; 0 means any free one, for which `declared` alone identifies the listener.
    """

    declared: int
    port: int
    address: str
    place: Place
    rest: tuple[tuple[str, RestAdapterPlan], ...] = ()
    mcp: tuple[tuple[str, McpAdapterPlan], ...] = ()
    skills: tuple[tuple[str, SkillAdapterPlan], ...] = ()
    control: ControlAdapterPlan | None = None

    @property
    def key(self) -> PortKey:
        """The same for two plans that one open socket can serve."""
        return (self.port or -self.declared, self.address)

    @property
    def is_local(self) -> bool:
        return is_loopback(self.address)

    @property
    def is_open(self) -> bool:
        """Whether an adapter answers there without asking who calls."""
        asked = [adapter.authentication for _, adapter in self.rest]
        asked += [adapter.authentication for _, adapter in self.mcp]
        asked += [adapter.authentication for _, adapter in self.skills]
        asked += [] if self.control is None else [self.control.authentication]
        return None in asked


_Adapter: TypeAlias = RestAdapterPlan | McpAdapterPlan | SkillAdapterPlan | ControlAdapterPlan


@dataclass(slots=True)
class _Group:
    declared: int
    place: Place
    adapters: list[_Adapter] = field(default_factory=list)
    rest: list[tuple[str, RestAdapterPlan]] = field(default_factory=list)
    mcp: list[tuple[str, McpAdapterPlan]] = field(default_factory=list)
    skills: list[tuple[str, SkillAdapterPlan]] = field(default_factory=list)
    control: ControlAdapterPlan | None = None

    def host(self, settings: PortSettings) -> str | None:
        """`--host`, which opens what callers use to others, never what operators use alone."""
        return settings.host if self.rest or self.mcp or self.skills else None


def share_ports(
    plans: Sequence[CapabilityPlan], settings: PortSettings
) -> tuple[tuple[PortPlan, ...], list[Problem]]:
    """The listeners that the plans need, by ascending port. Plans come in the order in which
    they win where two claim the same name."""
    groups = _Groups(settings)
    problems: list[Problem] = []
    for plan in plans:
        label = plan.label or plan.file
        for rest in plan.rest:
            groups.of(rest, rest.port).rest.append((label, rest))
        for mcp in plan.mcp:
            if mcp.port is None or mcp.transport is McpTransport.STDIO:
                problems.append(_for_stdio(mcp))
            else:
                groups.of(mcp, mcp.port).mcp.append((label, mcp))
        for skills in plan.skills:
            groups.of(skills, skills.port).skills.append((label, skills))
        for control in plan.control:
            group = groups.of(control, control.port)
            if group.control is None:
                group.control = control
            else:
                problems.append(_second_control(control, group.control))
    listeners = tuple(
        PortPlan(
            group.declared,
            max(key, 0),
            _address(group.adapters, group.declared, group.host(settings), problems),
            group.place,
            tuple(group.rest),
            tuple(group.mcp),
            tuple(group.skills),
            group.control,
        )
        for key, group in sorted(groups.by_key.items(), key=lambda entry: entry[1].declared)
    )
    return listeners, problems


class _Groups:
    """The adapters by the port to open, which several declared ones may be moved to."""

    def __init__(self, settings: PortSettings) -> None:
        self._settings = settings
        self._by_declared: dict[int, _Group] = {}
        self.by_key: dict[int, _Group] = {}

    def of(self, adapter: _Adapter, declared: int) -> _Group:
        group = self._by_declared.get(declared)
        if group is None:
            group = self._by_declared[declared] = self._begun(adapter, declared)
        group.adapters.append(adapter)
        return group

    def _begun(self, adapter: _Adapter, declared: int) -> _Group:
        key = self._settings.moved.get(declared, declared) or -declared
        group = self.by_key.setdefault(key, _Group(declared, adapter.place))
        if declared < group.declared:
            group.declared, group.place = declared, adapter.place
        return group


def _address(
    adapters: Sequence[_Adapter], port: int, host: str | None, problems: list[Problem]
) -> str:
    """The address of a port that several adapters share: `--host`, or what they agree on, or else
    the one that fewer machines can reach."""
    if host is not None:
        return host
    addresses = dict.fromkeys(adapter.address or LOOPBACK for adapter in adapters)
    chosen = next(filter(is_loopback, addresses), next(iter(addresses)))
    if all(map(is_loopback, addresses)) or len(addresses) == 1:
        return chosen
    declared = [(adapter.address or LOOPBACK, adapter.place) for adapter in adapters]
    place = next(place for address, place in declared if address == chosen)
    for address, elsewhere in declared:
        if address != chosen and not (is_loopback(address) and is_loopback(chosen)):
            message = (
                f'port {port} is to listen on "{address}" here and on "{chosen}" at {place}; '
                f'it listens on "{chosen}"'
            )
            remedy = f'give them one "address", or start with --host {address}'
            problems.append(_warning("address-conflict", elsewhere, message, remedy))
    return chosen


@cache
def is_loopback(address: str) -> bool:
    """Whether only this machine can reach an address."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def open_to_others(listeners: Iterable[PortPlan]) -> list[Problem]:
    """A warning for each listener that other machines can reach without authentication."""
    return [
        _warning(
            "open-to-others",
            listener.place,
            f'port {listener.port or listener.declared} listens on "{listener.address}": whoever '
            f"reaches this machine may {_freedom(listener)}",
            "listen on 127.0.0.1, or put an authenticating proxy in front",
        )
        for listener in listeners
        if not listener.is_local and listener.is_open
    ]


def _freedom(listener: PortPlan) -> str:
    """What a caller who is asked for nothing may do."""
    if listener.control is not None and listener.control.authentication is None:
        return "see and control this process"
    if listener.rest or listener.mcp:
        return "call every operation with this process's credentials"
    return "read every skill"


def _second_control(late: ControlAdapterPlan, first: ControlAdapterPlan) -> Problem:
    return Problem(
        "control-taken",
        late.place,
        (),
        f"port {late.port} has the control adapter at {first.place} already, which shows the "
        "whole process",
        "leave this one out, or give it a port of its own",
        Severity.WARNING,
        Consequence.PART,
    )


def _for_stdio(adapter: McpAdapterPlan) -> Problem:
    message = f'the MCP adapter "{adapter.namespace}" is for standard input and output'
    if adapter.port is not None:
        message += f", so its port {adapter.port} is not opened"
    remedy = f"have a client on this machine start it: naftiko stdio {adapter.place.file}"
    return _warning("stdio-adapter", adapter.place, message, remedy)


def _warning(rule: str, place: Place, message: str, remedy: str) -> Problem:
    return Problem(rule, place, (), message, remedy, Severity.WARNING, Consequence.NOTHING)
