"""How the adapters of many files come together on ports."""

from __future__ import annotations

from naftiko_runtime.document.model import McpTransport
from naftiko_runtime.plan.operation import CapabilityPlan, McpAdapterPlan, RestAdapterPlan
from naftiko_runtime.problems import Place
from naftiko_runtime.serving.settings import PortSettings
from naftiko_runtime.serving.sharing import PortPlan, open_to_others, share_ports


def rest(file: str, port: int = 8080, address: str | None = None) -> CapabilityPlan:
    adapter = RestAdapterPlan(f"{file}-rest", port, address, "", (), Place(file, 3))
    return CapabilityPlan(file, file, "", rest=(adapter,))


def mcp(file: str, port: int | None = 9090, address: str | None = None) -> CapabilityPlan:
    transport = McpTransport.HTTP if port else McpTransport.STDIO
    adapter = McpAdapterPlan(f"{file}-mcp", transport, port, address, "", (), Place(file, 7))
    return CapabilityPlan(file, file, "", mcp=(adapter,))


def shared(*plans: CapabilityPlan, settings: PortSettings | None = None) -> tuple[PortPlan, ...]:
    listeners, problems = share_ports(plans, settings or PortSettings())
    assert problems == []
    return listeners


def test_files_that_name_the_same_port_share_a_listener() -> None:
    (listener,) = shared(rest("a"), rest("b"))
    assert (listener.port, listener.address) == (8080, "127.0.0.1")
    assert [label for label, _ in listener.rest] == ["a", "b"]


def test_rest_and_mcp_on_one_port_share_a_listener() -> None:
    (listener,) = shared(rest("a"), mcp("a", 8080))
    assert len(listener.rest) == len(listener.mcp) == 1


def test_ports_come_in_ascending_order() -> None:
    assert [one.port for one in shared(mcp("a"), rest("b"))] == [8080, 9090]


def test_a_moved_port_joins_another_that_it_was_moved_to() -> None:
    settings = PortSettings(moved={8080: 9000, 8081: 9000})
    (listener,) = shared(rest("a", 8081), rest("b", 8080), settings=settings)
    assert (listener.declared, listener.port) == (8080, 9000)
    assert [label for label, _ in listener.rest] == ["a", "b"]


def test_two_ports_moved_to_any_free_one_stay_apart() -> None:
    settings = PortSettings(moved={8080: 0, 9090: 0})
    listeners = shared(rest("a"), mcp("a"), settings=settings)
    assert [(one.declared, one.port) for one in listeners] == [(8080, 0), (9090, 0)]
    assert len({one.key for one in listeners}) == 2


def test_the_files_address_counts_and_host_counts_more() -> None:
    assert shared(rest("a", address="0.0.0.0"))[0].address == "0.0.0.0"
    settings = PortSettings(host="127.0.0.2")
    assert shared(rest("a", address="0.0.0.0"), settings=settings)[0].address == "127.0.0.2"


def test_of_conflicting_addresses_the_one_that_fewer_machines_reach_wins_with_a_warning() -> None:
    listeners, problems = share_ports([rest("a", address="0.0.0.0"), rest("b")], PortSettings())
    assert listeners[0].address == "127.0.0.1"
    (problem,) = problems
    assert problem.rule == "address-conflict"
    assert problem.place == Place("a", 3)
    assert "b:3:1" in problem.message
    assert "--host 0.0.0.0" in problem.remedy


def test_different_names_of_this_machine_are_no_conflict() -> None:
    (listener,) = shared(rest("a", address="localhost"), rest("b"))
    assert listener.address == "localhost"


def test_a_port_that_others_can_reach_is_warned_of() -> None:
    exposed = shared(rest("a", address="0.0.0.0"), mcp("b", address="::1"))
    (problem,) = open_to_others(exposed)
    assert problem.rule == "open-to-others"
    assert "0.0.0.0" in problem.message


def test_an_adapter_for_standard_input_is_named_with_the_command_that_serves_it() -> None:
    listeners, problems = share_ports([mcp("a", None)], PortSettings())
    assert listeners == ()
    (problem,) = problems
    assert "naftiko stdio" in problem.remedy
