"""The tutorial's files, as they are, against doubles of the upstreams that they call."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from mcp_types import CallToolResult

from tests.conformance.shipyard import SHIPS, Shipyard, shipyard
from tests.recording_upstream import RecordedRequest
from tests.served_files import Answered, ServedFiles, served, tool_text, tool_value

STEPS = range(1, 12)
TOKEN = {"authorization": "Bearer sk-mcp-YYYYYYYYYYYY"}
"""What the tutorial's secrets file asks of callers, a placeholder."""

WITH_REST = {7: 3002, 10: 3003, 11: 3002}
"""The steps that expose a REST API, and on which port."""

Inputs: TypeAlias = Mapping[str, object]


@pytest.fixture(scope="module")
def tutorial(shared: Path) -> Path:
    folder = shared / "reference" / "tutorial"
    if not folder.is_dir():
        pytest.skip("the tutorial's files are not beside this repository")
    return folder


@pytest.fixture
def yard() -> Iterator[Shipyard]:
    with shipyard() as running:
        yield running


class Step:
    """One step of the tutorial while it is served."""

    def __init__(self, number: int, files: ServedFiles) -> None:
        self.number = number
        self.files = files
        self.headers = TOKEN if number > 2 else {}

    def tool(self, name: str, arguments: Inputs | None = None) -> Any:
        """The JSON that a tool answers with, which its structured content has to equal."""
        result = self.result(name, arguments)
        value = tool_value(result)
        structured = result.structured_content
        assert structured == value or list((structured or {}).values()) == [value]
        return value

    def result(self, name: str, arguments: Inputs | None = None) -> CallToolResult:
        return self.files.tool(name, dict(arguments or {}), self.headers, port=3001)

    def rest(self, method: str, target: str, body: object = None) -> Answered:
        content = None if body is None else json.dumps(body).encode()
        typed = {} if content is None else {"content-type": "application/json"}
        port = WITH_REST[self.number]
        return self.files.call(method, target, content, typed, port=port)


@pytest.fixture
def start(tutorial: Path, yard: Shipyard) -> Iterator[Callable[[int], Step]]:
    """Starts a step's file as it is; only the upstreams are elsewhere."""
    with ExitStack() as stack:

        def begin(number: int) -> Step:
            (path,) = tutorial.glob(f"step-{number}-*.yml")
            files = stack.enter_context(served(path, base_uris=yard.base_uris))
            return Step(number, files)

        yield begin


def steps_from(first: int) -> list[int]:
    return [number for number in STEPS if number >= first]


Start: TypeAlias = Callable[[int], Step]


# --- loading ------------------------------------------------------------------------------


@pytest.mark.parametrize("number", STEPS)
def test_each_file_loads_without_a_problem_and_serves_all_that_it_declares(
    start: Start, number: int
) -> None:
    files = start(number).files
    assert files.problems == (), [str(problem) for problem in files.problems]
    ports = {3001} | ({WITH_REST[number]} if number in WITH_REST else set())
    ports |= {3002, 3003} if number in WITH_REST else {3002} if number > 7 else set()
    assert set(files.ports) == ports


TOOLS = {
    "list-ships": 2,
    "get-ship": 1,
    "list-legacy-vessels": 5,
    "create-voyage": 6,
    "get-ship-with-crew": 7,
    "get-voyage-manifest": 11,
}
"""Each tool with the step that brings it."""


@pytest.mark.parametrize("number", STEPS)
def test_each_tool_takes_the_inputs_that_the_file_declares_and_no_others(
    start: Start, number: int
) -> None:
    step = start(number)
    tools = step.files.tools(step.headers, port=3001)
    assert set(tools) == {name for name, first in TOOLS.items() if first <= number}
    inputs = {
        name: (set(tool.input_schema["properties"]), set(tool.input_schema.get("required", ())))
        for name, tool in tools.items()
    }
    imo = {"imo_number"} if number == 1 else {"imo"}
    voyage = {"shipImo", "departurePort", "arrivalPort", "departureDate", "arrivalDate", "crewIds"}
    expected: dict[str, tuple[set[str], set[str]]] = {
        "list-ships": ({"status"}, set()),
        "get-ship": (imo, imo),
        "list-legacy-vessels": ({"status"}, set()),
        "create-voyage": (voyage | {"cargoIds"}, voyage),
        "get-ship-with-crew": ({"imo"}, {"imo"}),
        "get-voyage-manifest": ({"voyageId"}, {"voyageId"}),
    }
    assert inputs == {name: expected[name] for name in tools}
    assert all(tool.description for tool in tools.values())


@pytest.mark.parametrize("number", steps_from(3))
def test_callers_without_the_token_are_told_nothing(start: Start, number: int) -> None:
    step = start(number)
    for headers in ({}, {"authorization": "Bearer wrong"}):
        sent = {"content-type": "application/json", "accept": "application/json", **headers}
        body = b'{"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}'
        answered = step.files.call("POST", "/mcp", body, sent, port=3001)
        assert answered.status == 401
        assert (answered.header("www-authenticate") or "").startswith("Bearer")
        assert b"list-ships" not in answered.body


# --- step 1: mocks ------------------------------------------------------------------------


def test_the_mock_answers_with_the_callers_number_and_its_own_values(start: Start) -> None:
    assert start(1).tool("get-ship", {"imo_number": 'IMO "9"'}) == {
        "imo": 'IMO "9"',
        "name": "Northern Star",
        "type": "cargo",
        "flag": "NO",
        "status": "active",
    }


def test_the_mock_needs_its_input(start: Start) -> None:
    result = start(1).result("get-ship")
    assert result.is_error
    assert "imo_number" in tool_text(result)


# --- steps 2 to 4: one upstream -----------------------------------------------------------

AURORA = {
    "imo": "IMO-1001",
    "name": "Aurora",
    "type": "cargo",
    "flag": "NO",
    "status": "active",
}
BOREAS = {
    "imo": "IMO-1002",
    "name": "Boreas",
    "type": "tanker",
    "flag": "DK",
    "status": "laid_up",
}
SPECS = {"yearBuilt": 2015, "tonnage": 42000.5, "length": 229.5}
NO_LENGTH = {"yearBuilt": 1998, "tonnage": 81000, "length": None}


def registry_credentials(number: int) -> tuple[str | None, str | None]:
    """What the file of a step has the registry see: step 11 writes the names of its variables
    without braces, which is what is sent."""
    if number == 2:
        return None, None
    if number == 11:
        return "Bearer REGISTRY_TOKEN", "REGISTRY_VERSION"
    return "Bearer dummy-token", "1.0.0-alpha2"


def seen(request: RecordedRequest) -> tuple[str | None, str | None]:
    return request.header("authorization"), request.header("registry-version")


@pytest.mark.parametrize("number", steps_from(2))
def test_ships_are_listed_in_the_shape_of_the_file(
    start: Start, yard: Shipyard, number: int
) -> None:
    step = start(number)
    assert step.tool("list-ships") == [AURORA, BOREAS]
    assert step.tool("list-ships", {"status": "laid_up"}) == [BOREAS]
    assert step.tool("list-ships", {"status": "a&b=c"}) == []
    assert yard.targets == [
        "GET /ships",
        "GET /ships?status=laid_up",
        "GET /ships?status=a%26b%3Dc",
    ]
    assert {seen(request) for request in yard.registry.requests} == {registry_credentials(number)}


@pytest.mark.parametrize("number", steps_from(2))
def test_a_ship_is_found_in_the_shape_of_the_file(
    start: Start, yard: Shipyard, number: int
) -> None:
    step = start(number)
    specs = {"specs": SPECS} if number > 3 else {}
    none = {"specs": NO_LENGTH} if number > 3 else {}
    assert step.tool("get-ship", {"imo": "IMO-1001"}) == AURORA | specs
    assert step.tool("get-ship", {"imo": "IMO-1002"}) == BOREAS | none
    assert yard.targets == ["GET /ships/IMO-1001", "GET /ships/IMO-1002"]
    assert {seen(request) for request in yard.registry.requests} == {registry_credentials(number)}


@pytest.mark.parametrize("number", steps_from(2))
def test_a_ship_that_is_not_there_is_an_error_with_the_upstreams_words(
    start: Start, number: int
) -> None:
    result = start(number).result("get-ship", {"imo": "a/../b"})
    assert result.is_error
    assert "404" in tool_text(result)
    assert "no ships a%2F..%2Fb" in tool_text(result)


# --- step 5: a second upstream, in XML ----------------------------------------------------

LEGACY = [
    {"vesselCode": "LV-1", "name": "Old Tom", "type": "trawler", "flag": "NO", "status": "active"},
    {
        "vesselCode": "LV-2",
        "name": "Grey Lady",
        "type": "ferry",
        "flag": "SE",
        "status": "scrapped",
    },
    {
        "vesselCode": "LV-3",
        "name": "Ida & Ole",
        "type": "barge",
        "flag": "DK",
        "status": "scrapped",
    },
]


@pytest.mark.parametrize("number", steps_from(5))
def test_legacy_vessels_are_listed_as_json(start: Start, yard: Shipyard, number: int) -> None:
    step = start(number)
    assert step.tool("list-legacy-vessels") == LEGACY
    assert step.tool("list-legacy-vessels", {"status": "scrapped"}) == LEGACY[1:]
    assert step.tool("list-legacy-vessels", {"status": "active"}) == LEGACY[:1]
    assert [request.target for request in yard.legacy.requests] == [
        "/rest/legacy/1.0/vessels",
        "/rest/legacy/1.0/vessels?status=scrapped",
        "/rest/legacy/1.0/vessels?status=active",
    ]
    assert {r.header("x-dock-key") for r in yard.legacy.requests} == {"dummy-dockyard-key"}
    assert {r.header("authorization") for r in yard.legacy.requests} == {None}


@pytest.mark.parametrize("number", steps_from(5))
def test_a_dockyard_without_such_vessels_is_an_empty_list(start: Start, number: int) -> None:
    step = start(number)
    assert step.tool("list-legacy-vessels", {"status": "laid_up"}) == []
    if number in WITH_REST:
        assert step.rest("GET", "/legacy/vessels?status=laid_up").json() == []


# --- step 6: writing ----------------------------------------------------------------------

PLAN: dict[str, object] = {
    "shipImo": 'IMO-"1"',
    "departurePort": "NOBGO",
    "arrivalPort": "DKCPH",
    "departureDate": "2026-05-01",
    "arrivalDate": "2026-05-03",
    "crewIds": ["C-1", "C-2"],
}
PLANNED = {
    "voyageId": "V-2",
    "shipImo": 'IMO-"1"',
    "route": {"from": "NOBGO", "to": "DKCPH"},
    "dates": {"departure": "2026-05-01", "arrival": "2026-05-03"},
    "crewIds": ["C-1", "C-2"],
    "cargoIds": ["G-1"],
    "status": "planned",
}


@pytest.mark.parametrize("number", steps_from(6))
def test_a_voyage_is_created_with_the_callers_values_in_their_types(
    start: Start, yard: Shipyard, number: int
) -> None:
    step = start(number)
    assert step.tool("create-voyage", PLAN | {"cargoIds": ["G-1"]}) == PLANNED
    assert step.tool("create-voyage", PLAN) == PLANNED | {"cargoIds": None}
    first, second = yard.registry.requests
    assert first.json() == PLAN | {"cargoIds": ["G-1"]}
    assert second.json() == PLAN | {"cargoIds": None}
    assert first.header("content-type") == "application/json"
    assert yard.targets == ["POST /voyages", "POST /voyages"]


@pytest.mark.parametrize("number", steps_from(6))
def test_a_voyage_without_all_that_it_needs_is_not_created(
    start: Start, yard: Shipyard, number: int
) -> None:
    step = start(number)
    for wrong in ({"crewIds": "C-1"}, {"shipImo": 5}, {"crewIds": None}):
        assert step.result("create-voyage", PLAN | wrong).is_error
    assert step.result("create-voyage", {"crewIds": []}).is_error
    assert yard.targets == []


def test_the_tool_that_writes_says_so(start: Start) -> None:
    step = start(6)
    hints = step.files.tools(step.headers, port=3001)["create-voyage"].annotations
    assert hints is not None
    assert (hints.read_only_hint, hints.destructive_hint) == (False, False)
    assert (hints.idempotent_hint, hints.open_world_hint) == (False, True)


# --- steps 7 to 9: orchestration and functions --------------------------------------------

WITH_CREW = AURORA | {
    **SPECS,
    "crew": [
        {"fullName": "Ada Berg", "role": "master"},
        {"fullName": "Cy Elde", "role": "mate"},
    ],
}


@pytest.mark.parametrize("number", steps_from(7))
def test_a_ship_comes_with_the_names_of_its_crew(start: Start, yard: Shipyard, number: int) -> None:
    step = start(number)
    assert step.tool("get-ship-with-crew", {"imo": "IMO-1001"}) == WITH_CREW
    assert sorted(yard.targets) == ["GET /crew", "GET /ships/IMO-1001"]
    assert step.tool("get-ship-with-crew", {"imo": "IMO-1002"}) == BOREAS | NO_LENGTH | {"crew": []}


@pytest.mark.parametrize("number", steps_from(7))
def test_a_ship_with_crew_that_is_not_there_names_the_step(start: Start, number: int) -> None:
    result = start(number).result("get-ship-with-crew", {"imo": "IMO-0"})
    assert result.is_error
    text = tool_text(result)
    assert 'step "get-ship"' in text
    assert "404" in text


@pytest.mark.parametrize("number", [9, 10])
def test_hints_follow_the_functions_semantics(start: Start, number: int) -> None:
    step = start(number)
    hints = step.files.tools(step.headers, port=3001)["get-ship-with-crew"].annotations
    assert hints is not None
    assert (hints.read_only_hint, hints.destructive_hint) == (True, False)
    assert hints.idempotent_hint is True


# --- steps 7, 10 and 11: the REST API -----------------------------------------------------


@pytest.mark.parametrize("number", WITH_REST)
def test_the_rest_api_gives_the_same_shapes(start: Start, yard: Shipyard, number: int) -> None:
    step = start(number)
    expected: dict[str, object] = {
        "/ships": [AURORA, BOREAS],
        "/ships?status=active": [AURORA],
        "/ships/IMO-1001": AURORA | {"specs": SPECS},
        "/ships/IMO-1001/crew": WITH_CREW,
        "/legacy/vessels": LEGACY,
        "/legacy/vessels?status=scrapped": LEGACY[1:],
    }
    for target, value in expected.items():
        answered = step.rest("GET", target)
        assert (answered.status, answered.header("content-type")) == (200, "application/json")
        assert answered.json() == value, target
    assert {seen(request) for request in yard.registry.requests} == {registry_credentials(number)}


@pytest.mark.parametrize("number", WITH_REST)
def test_a_voyage_is_created_over_rest(start: Start, yard: Shipyard, number: int) -> None:
    step = start(number)
    answered = step.rest("POST", "/voyages", PLAN | {"cargoIds": ["G-1"]})
    assert (answered.status, answered.json()) == (201, PLANNED)
    answered = step.rest("POST", "/voyages", PLAN)
    assert answered.json() == PLANNED | {"cargoIds": None}
    assert [request.json() for request in yard.registry.requests] == [
        PLAN | {"cargoIds": ["G-1"]},
        PLAN | {"cargoIds": None},
    ]


@pytest.mark.parametrize("number", WITH_REST)
def test_errors_of_the_upstream_reach_rest_callers(start: Start, number: int) -> None:
    step = start(number)
    missing = step.rest("GET", "/ships/IMO-0")
    assert (missing.status, missing.json()) == (404, {"error": "no ships IMO-0"})
    failed = step.rest("GET", "/ships/IMO-0/crew")
    assert failed.status == 404
    assert failed.header("content-type") == "application/problem+json"
    assert failed.json()["step"] == "get-ship"
    assert step.rest("POST", "/voyages", {"crewIds": "C-1"}).status == 400
    assert step.rest("DELETE", "/ships").status == 405


# --- step 11: the manifest ----------------------------------------------------------------

PEOPLE = [{"fullName": "Cy Elde", "role": "mate"}, {"fullName": "Ada Berg", "role": "master"}]
FREIGHT = [{"type": "tank", "description": "Acid", "weight": 90, "hazardous": True}]


def test_a_manifest_brings_voyage_ship_crew_and_cargo_together(
    start: Start, yard: Shipyard
) -> None:
    assert start(11).tool("get-voyage-manifest", {"voyageId": "V-1"}) == {
        "voyageId": "V-1",
        "status": "planned",
        "route": {"from": "NOBGO", "to": "DKCPH"},
        "ship": {"name": "Boreas", "type": "tanker", "flag": "DK"},
        "crew": PEOPLE,
        "cargo": FREIGHT,
    }
    assert sorted(yard.targets) == ["GET /cargo", "GET /crew", "GET /ships", "GET /voyages/V-1"]


def test_the_manifest_over_rest_is_flat(start: Start) -> None:
    answered = start(11).rest("GET", "/voyages/V-1/manifest")
    assert answered.status == 200
    assert answered.json() == {
        "voyageId": "V-1",
        "status": "planned",
        "departurePort": "NOBGO",
        "arrivalPort": "DKCPH",
        "shipName": "Boreas",
        "shipType": "tanker",
        "shipFlag": "DK",
        "crew": PEOPLE,
        "cargo": FREIGHT,
    }


def test_a_ship_that_the_registry_does_not_know_is_null_in_the_manifest(
    start: Start, yard: Shipyard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SHIPS[1], "imo_number", "IMO-9")
    manifest = start(11).tool("get-voyage-manifest", {"voyageId": "V-1"})
    assert manifest["ship"] == {"name": None, "type": None, "flag": None}
