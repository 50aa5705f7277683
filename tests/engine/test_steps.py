"""How sequences of steps run: in what order, with what values, and how they fail."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from naftiko_runtime.consumes.messages import UpstreamResponse
from naftiko_runtime.engine.outcome import Answer
from naftiko_runtime.failures import Failure, FailureKind
from tests.sequences import (
    Scripted,
    call,
    failing,
    lookup,
    mapping,
    operation,
    response,
    sequence,
    text_input,
    text_response,
)

pytestmark = pytest.mark.anyio


# --- what a step sees ---------------------------------------------------------------------


async def test_a_step_reads_the_callers_input_and_earlier_answers() -> None:
    file = sequence(
        [operation("get-ship", "/ships/{imo}"), operation("get-port", "/ports/{code}")],
        [
            call("ship", "get-ship", imo="{{number}}"),
            call("port", "get-port", code="{{ship.home.port}}"),
        ],
        inputs=[text_input("number")],
    )
    upstreams = Scripted({"get-ship": {"home": {"port": "NO BGO"}}, "get-port": {"n": 1}})
    assert await file.value({"number": "IMO/1"}, upstreams) == {"n": 1}
    assert upstreams.urls == ["/ships/IMO%2F1", "/ports/NO%20BGO"]


async def test_a_whole_placeholder_keeps_the_type_of_an_earlier_answer() -> None:
    body = {"type": "json", "data": {"ids": "{{ids}}", "n": "{{n}}"}}
    file = sequence(
        [operation("read"), operation("write", method="POST", body=body)],
        [call("read"), call("write", ids="{{read.ids}}", n="{{read.n}}")],
    )
    upstreams = Scripted({"read": {"ids": ["a", {"b": 1}], "n": 7}, "write": {}})
    await file.value({}, upstreams)
    assert upstreams.sent[1].content == b'{"ids":["a",{"b":1}],"n":7}'


async def test_numbers_pass_from_step_to_answer_digit_for_digit() -> None:
    number = "0.1000000000000000055"
    file = sequence([operation("read")], [call("read")], mappings=[mapping("n", "$.read.n")])
    upstreams = Scripted({"read": text_response(f'{{"n": {number}}}', "application/json")})
    outcome = await file.run({}, upstreams)
    assert isinstance(outcome, Answer)
    assert outcome.body.decode() == f'{{"n":{number}}}'


async def test_templates_of_consumed_operations_see_earlier_answers() -> None:
    write = operation(
        "write",
        "/ships/{{ship.imo}}",
        method="POST",
        inputParameters=[{"name": "X-Flag", "in": "header", "value": "{{ship.flag}}"}],
        body={"type": "json", "data": {"name": "{{ship.name}}"}},
    )
    file = sequence([operation("get-ship"), write], [call("ship", "get-ship"), call("write")])
    assert file.tool.inputs == ()
    upstreams = Scripted({"get-ship": {"imo": "7", "flag": "NO", "name": 'A "B"'}})
    await file.value({}, upstreams)
    request = upstreams.sent[1]
    assert upstreams.urls[1] == "/ships/7"
    assert ("X-Flag", "NO") in request.headers
    assert request.content == b'{"name":"A \\"B\\""}'


async def test_what_with_gives_wins_over_an_earlier_step_of_that_name() -> None:
    read = operation("read", "/read/{{ship.imo}}")
    file = sequence(
        [operation("get-ship"), read],
        [call("ship", "get-ship"), {**call("read"), "with": {"ship.imo": "8"}}],
    )
    upstreams = Scripted({"get-ship": {"imo": "7"}})
    await file.value({}, upstreams)
    assert upstreams.urls[1] == "/read/8"


async def test_a_step_stores_the_named_outputs_of_its_consumed_operation() -> None:
    outputs = [{"name": "shipName", "type": "string", "value": "$.data.vessel_name"}]
    file = sequence(
        [operation("get-ship", outputParameters=outputs), operation("find", "/find/{name}")],
        [call("ship", "get-ship"), {**call("find"), "with": {"name": "{{ship.shipName}}"}}],
        mappings=[mapping("ship", "$.ship"), mapping("raw", "$.ship.data")],
    )
    upstreams = Scripted({"get-ship": {"data": {"vessel_name": "Aurora"}}})
    assert await file.value({}, upstreams) == {"ship": {"shipName": "Aurora"}, "raw": None}
    assert upstreams.urls[1] == "/find/Aurora"


async def test_named_outputs_are_added_to_each_element_of_an_array() -> None:
    outputs = [{"name": "imo-number", "type": "string", "value": "$.imo_number"}]
    file = sequence(
        [operation("list-ships", outputParameters=outputs)],
        [call("list-ships")],
        mappings=[mapping("ships", "$.list-ships")],
    )
    upstreams = Scripted({"list-ships": [{"imo_number": "1", "n": 2}, 5]})
    assert await file.value({}, upstreams) == {
        "ships": [{"imo_number": "1", "n": 2, "imo-number": "1"}, {"imo-number": None}]
    }


async def test_a_step_reads_the_raw_format_of_its_upstream() -> None:
    file = sequence(
        [operation("list-ships", outputRawFormat="csv")],
        [call("list-ships")],
        mappings=[mapping("names", "$.list-ships[*].name")],
    )
    upstreams = Scripted(
        {"list-ships": text_response("name,imo\nAurora,1\nBoreas,2\n", "text/csv")}
    )
    assert await file.value({}, upstreams) == {"names": ["Aurora", "Boreas"]}


async def test_a_mapping_can_feed_the_input_of_a_later_step() -> None:
    read = operation(
        "read", "/pages/{page_id}", inputParameters=[{"name": "page_id", "in": "path"}]
    )
    file = sequence(
        [operation("get-database"), read],
        [call("get-database"), call("read")],
        mappings=[mapping("page_id", "$.get-database.first"), mapping("title", "$.read.title")],
        outputs=[{"name": "title", "type": "string"}],
    )
    assert file.tool.inputs == ()
    upstreams = Scripted({"get-database": {"first": "p1"}, "read": {"title": "T"}})
    assert await file.value({}, upstreams) == {"page_id": "p1", "title": "T"}
    assert upstreams.urls[1] == "/pages/p1"


@pytest.mark.parametrize("outputs", [[], [{"name": "status", "type": "string"}]])
async def test_a_mapping_to_an_output_feeds_no_step(outputs: list[dict[str, str]]) -> None:
    listing = operation("list", inputParameters=[{"name": "status", "in": "query"}])
    file = sequence(
        [operation("read"), listing],
        [call("read"), call("list")],
        mappings=[mapping("status", "$.read.status")],
        outputs=outputs,
    )
    upstreams = Scripted({"read": {"status": "planned"}})
    assert await file.value({}, upstreams) == {"status": "planned"}
    assert sorted(upstreams.urls) == ["/list", "/read"]


# --- order --------------------------------------------------------------------------------


async def test_safe_calls_that_nothing_orders_run_at_the_same_time() -> None:
    gates = {"one": asyncio.Event(), "two": asyncio.Event()}
    upstreams = Scripted(gates=gates)

    def open_other_gate(name: str) -> None:
        gates["two" if name == "one" else "one"].set()

    upstreams.on_send = open_other_gate
    file = sequence([operation("one"), operation("two")], [call("one"), call("two")])
    async with asyncio.timeout(10):
        await file.value({}, upstreams)
    assert sorted(upstreams.events[:2]) == ["> one", "> two"]


async def test_a_call_waits_for_the_steps_whose_answers_it_reads() -> None:
    file = sequence(
        [operation("one"), operation("two"), operation("three", "/three/{x}")],
        [call("one"), call("two"), call("three", x="{{one.x}}")],
    )
    upstreams = Scripted({"one": {"x": "1"}})
    await file.value({}, upstreams)
    events = upstreams.events
    assert events.index("< one") < events.index("> three")


async def test_calls_that_change_something_keep_their_place() -> None:
    names = ["read-1", "read-2", "write-1", "read-3", "write-2", "read-4"]
    operations = [
        operation(name, method="POST" if name.startswith("write") else "GET") for name in names
    ]
    upstreams = Scripted()
    await sequence(operations, [call(name) for name in names]).value({}, upstreams)
    events = upstreams.events
    for write, before, after in (
        ("write-1", ["read-1", "read-2"], ["read-3"]),
        ("write-2", ["write-1", "read-3"], ["read-4"]),
    ):
        begun, ended = events.index(f"> {write}"), events.index(f"< {write}")
        assert all(events.index(f"< {name}") < begun for name in before)
        assert all(events.index(f"> {name}") > ended for name in after)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_two_calls_that_change_something_never_overlap(method: str) -> None:
    file = sequence(
        [operation("one", method=method), operation("two", method=method)],
        [call("one"), call("two")],
    )
    upstreams = Scripted()
    await file.run({}, upstreams)
    assert upstreams.events == ["> one", "< one", "> two", "< two"]


async def test_the_answer_without_mappings_is_the_last_calls_whichever_ended_last() -> None:
    gates = {"one": asyncio.Event()}
    upstreams = Scripted({"one": {"n": 1}, "two": {"n": 2}}, gates=gates)

    def open_gate(name: str) -> None:
        if name == "two":
            gates["one"].set()

    upstreams.on_send = open_gate
    file = sequence([operation("one"), operation("two")], [call("one"), call("two")])
    async with asyncio.timeout(10):
        assert await file.value({}, upstreams) == {"n": 2}


# --- failures -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 404, 409, 429, 500, 503])
async def test_an_upstreams_error_stops_the_rest_and_names_the_step(status: int) -> None:
    file = sequence(
        [operation("one", method="POST"), operation("two", method="POST")],
        [call("first", "one"), call("second", "two")],
    )
    upstreams = Scripted({"one": response({"secret": "x"}, status)})
    failure = await file.failure({}, upstreams)
    assert failure.kind is FailureKind.STEP_FAILED
    assert failure.step == "first"
    assert failure.http_status == status
    assert failure.executed
    assert failure.detail == f'step "first": "up.one" answered with status {status}'
    assert len(upstreams.sent) == 1


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("7", 7),
        ("86400", 86400),
        ("soon", None),
        ("Mon, 01 Jan 2024 00:00:00 GMT", 0),
        (None, None),
    ],
)
async def test_when_a_step_may_be_tried_again_is_what_its_upstream_says(
    given: str | None, told: int | None
) -> None:
    headers = [] if given is None else [("retry-after", given)]
    file = sequence([operation("one")], [call("first", "one")])
    upstreams = Scripted({"one": UpstreamResponse(503, headers, b"")})
    assert (await file.failure({}, upstreams)).retry_after == told


async def test_nobody_is_told_to_repeat_what_has_changed_something() -> None:
    file = sequence(
        [operation("one", method="POST"), operation("two")],
        [call("first", "one"), call("second", "two")],
    )
    busy = UpstreamResponse(503, [("retry-after", "7")], b"")
    failure = await file.failure({}, Scripted({"one": response({}), "two": busy}))
    assert "look before repeating" in failure.detail
    assert failure.retry_after is None


@pytest.mark.parametrize("status", [301, 302, 304])
async def test_a_redirect_is_no_answer_for_a_step(status: int) -> None:
    file = sequence([operation("one")], [call("one")])
    failure = await file.failure({}, Scripted({"one": response(status=status)}))
    assert (failure.kind, failure.http_status) == (FailureKind.STEP_FAILED, 502)


async def test_an_unreachable_upstream_is_told_with_its_own_kind_and_the_step() -> None:
    file = sequence([operation("one")], [call("one")])
    unreachable = Failure(FailureKind.UPSTREAM_UNREACHABLE, '"up.one" (GET): refused')
    failure = await file.failure({}, Scripted({"one": failing(unreachable)}))
    assert failure.kind is FailureKind.UPSTREAM_UNREACHABLE
    assert failure.step == "one"
    assert failure.detail == 'step "one": "up.one" (GET): refused'
    assert not failure.executed


async def test_a_failure_after_a_change_was_made_is_never_called_unexecuted() -> None:
    file = sequence(
        [operation("pay", method="POST"), operation("read")], [call("pay"), call("read")]
    )
    unreachable = Failure(FailureKind.UPSTREAM_UNREACHABLE, '"up.read" (GET): refused')
    failure = await file.failure({}, Scripted({"read": failing(unreachable)}))
    assert failure.executed
    assert failure.detail.endswith('; "pay" has been carried out before, so look before repeating')


async def test_a_value_that_does_not_fit_a_later_step_says_what_was_done_before() -> None:
    file = sequence(
        [operation("pay", method="POST"), operation("read", "/read/{id}")],
        [call("pay"), call("read", id="{{pay.id}}")],
    )
    failure = await file.failure({}, Scripted({"pay": {"id": ".."}}))
    assert failure.kind is FailureKind.INVALID_INPUT
    assert (failure.step, failure.executed) == ("read", True)
    assert '"pay" has been carried out' in failure.detail


async def test_a_failure_before_any_change_is_no_reason_for_a_warning() -> None:
    file = sequence(
        [operation("read"), operation("pay", method="POST")], [call("read"), call("pay")]
    )
    failure = await file.failure({}, Scripted({"read": response({}, 404)}))
    assert "carried out" not in failure.detail


async def test_calls_beside_a_failed_one_are_cut_off() -> None:
    gates = {"slow": asyncio.Event()}
    upstreams = Scripted({"bad": response({}, 500)}, gates=gates)
    file = sequence([operation("slow"), operation("bad")], [call("slow"), call("bad")])
    async with asyncio.timeout(10):
        failure = await file.failure({}, upstreams)
    assert failure.step == "bad"
    assert "x slow" in upstreams.events


async def test_of_two_steps_that_fail_together_the_first_is_named() -> None:
    upstreams = Scripted({"one": response({}, 500), "two": response({}, 404)})
    file = sequence([operation("one"), operation("two")], [call("one"), call("two")])
    assert (await file.failure({}, upstreams)).step == "one"


async def test_cancelling_the_call_cuts_all_of_its_steps_off() -> None:
    gates = {"one": asyncio.Event(), "two": asyncio.Event()}
    upstreams = Scripted(gates=gates)
    started = asyncio.Event()
    upstreams.on_send = lambda name: started.set() if len(upstreams.sent) == 2 else None
    file = sequence([operation("one"), operation("two")], [call("one"), call("two")])
    task = asyncio.create_task(file.run({}, upstreams))
    async with asyncio.timeout(10):
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert sorted(upstreams.events[2:]) == ["x one", "x two"]


# --- answers that hold nothing ------------------------------------------------------------


async def test_an_empty_answer_stores_nothing_and_the_rest_runs() -> None:
    file = sequence(
        [operation("delete", method="DELETE"), operation("list")],
        [call("delete"), call("list")],
        mappings=[mapping("deleted", "$.delete.id"), mapping("left", "$.list")],
    )
    upstreams = Scripted({"delete": response(status=204), "list": [1]})
    assert await file.value({}, upstreams) == {"deleted": None, "left": [1]}


async def test_an_answer_that_nothing_reads_may_be_anything() -> None:
    file = sequence(
        [operation("notify", method="POST"), operation("list")],
        [call("notify"), call("list")],
        mappings=[mapping("left", "$.list")],
    )
    upstreams = Scripted({"notify": text_response("OK, thanks"), "list": [1]})
    assert await file.value({}, upstreams) == {"left": [1]}


async def test_an_answer_that_is_read_and_is_not_json_fails_its_step() -> None:
    file = sequence([operation("read")], [call("read")], mappings=[mapping("x", "$.read.x")])
    failure = await file.failure({}, Scripted({"read": text_response("OK")}))
    assert (failure.kind, failure.step) == (FailureKind.UPSTREAM_INVALID, "read")


async def test_the_last_answer_is_returned_as_it_came_where_nothing_maps_it() -> None:
    file = sequence([operation("one"), operation("two")], [call("one"), call("two")])
    upstreams = Scripted({"two": text_response("plain words")})
    outcome = await file.run({}, upstreams)
    assert isinstance(outcome, Answer)
    assert (outcome.content_type, outcome.body) == ("text/plain", b"plain words")


async def test_json_null_as_an_answer_is_null_to_later_steps() -> None:
    file = sequence(
        [operation("read"), operation("list")],
        [call("read"), call("list"), lookup("found", "list", "id", "$.read.id")],
        mappings=[mapping("read", "$.read"), mapping("found", "$.found")],
    )
    upstreams = Scripted({"read": None, "list": [{"id": "", "name": "x"}]})
    assert await file.value({}, upstreams) == {"read": None, "found": None}


# --- lookups ------------------------------------------------------------------------------

CREW = [
    {"crewId": "c1", "fullName": "Ada", "role": "master"},
    {"crewId": "c2", "fullName": "Bo"},
    {"crewId": 7, "fullName": "Cy", "role": "cook"},
    {"crewId": "c1", "fullName": "A later row"},
    {"fullName": "No key"},
    "no row",
]


async def looked_up(value: object, rows: object = CREW, match: str = "crewId") -> object:
    file = sequence(
        [operation("ship"), operation("crew")],
        [
            call("ship"),
            call("crew"),
            lookup("found", "crew", match, "$.ship.v", "fullName", "role"),
        ],
        mappings=[mapping("found", "$.found")],
    )
    answer = await file.value({}, Scripted({"ship": {"v": value}, "crew": rows}))
    return answer["found"]


ADA, BO, CY = (
    {"fullName": "Ada", "role": "master"},
    {"fullName": "Bo", "role": None},
    {"fullName": "Cy", "role": "cook"},
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("c1", ADA),
        ("c2", BO),
        (7, CY),
        ("7", CY),
        (7.0, CY),
        ("C1", None),
        ("nobody", None),
        (None, None),
        ("", None),
        (True, None),
        ({"crewId": "c1"}, None),
    ],
)
async def test_a_single_value_finds_the_first_row_that_holds_it(
    value: object, expected: object
) -> None:
    assert await looked_up(value) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["c2", "c1", 7], [BO, ADA, CY]),
        (["c1", "nobody", "c1"], [ADA, ADA]),
        (["nobody"], []),
        ([], []),
        ([None, "c1"], [ADA]),
    ],
)
async def test_a_list_finds_a_row_for_each_of_its_values_in_order(
    values: list[object], expected: object
) -> None:
    assert await looked_up(values) == expected


async def test_a_single_object_is_a_table_of_one_row() -> None:
    assert await looked_up("c1", {"crewId": "c1", "fullName": "Ada"}) == {
        "fullName": "Ada",
        "role": None,
    }


@pytest.mark.parametrize("rows", [None, "text", 5, [], [[]]])
async def test_a_table_without_rows_finds_nothing(rows: object) -> None:
    assert await looked_up("c1", rows) is None


async def test_the_key_may_be_spelt_with_dashes() -> None:
    assert await looked_up("c1", [{"crew_id": "c1", "fullName": "Ada"}], "crew-id") == {
        "fullName": "Ada",
        "role": None,
    }


async def test_a_lookup_value_may_be_a_template() -> None:
    file = sequence(
        [operation("crew")],
        [call("crew"), lookup("found", "crew", "crewId", "c{{n}}", "fullName")],
        mappings=[mapping("name", "$.found.fullName")],
        inputs=[text_input("n")],
    )
    assert await file.value({"n": "2"}, Scripted({"crew": CREW})) == {"name": "Bo"}


async def test_a_lookup_feeds_later_templates_and_lookups() -> None:
    ports = [{"code": "NOBGO", "city": "Bergen"}]
    file = sequence(
        [operation("ships"), operation("ports"), operation("weather", "/weather/{city}")],
        [
            call("ships"),
            call("ports"),
            lookup("ship", "ships", "imo", "{{imo}}", "port"),
            lookup("port", "ports", "code", "$.ship.port", "city"),
            call("weather", city="{{port.city}}"),
        ],
        mappings=[mapping("temperature", "$.weather.t")],
        inputs=[text_input("imo")],
    )
    upstreams = Scripted(
        {"ships": [{"imo": "1", "port": "NOBGO"}], "ports": ports, "weather": {"t": 4}}
    )
    assert await file.value({"imo": "1"}, upstreams) == {"temperature": 4}
    assert upstreams.urls[-1] == "/weather/Bergen"


async def test_a_path_that_visits_too_much_fails_its_step_and_not_the_process() -> None:
    nested: object = 1
    for _ in range(60):
        nested = {"a": nested, "b": [1] * 60}
    file = sequence(
        [operation("read"), operation("list")],
        [
            call("read"),
            call("list"),
            lookup("found", "list", "id", "$.read..[?@..[?@..x]]"),
        ],
    )
    failure = await file.failure({}, Scripted({"read": nested, "list": []}))
    assert (failure.kind, failure.step) == (FailureKind.UPSTREAM_INVALID, "found")
    assert "too large" in failure.detail


# --- mappings -----------------------------------------------------------------------------


async def test_mappings_build_nested_objects_and_null_for_what_is_not_found() -> None:
    file = sequence(
        [operation("get")],
        [call("get")],
        mappings=[
            mapping("route.from", "$.get.a"),
            mapping("route.to", "$.get.b"),
            mapping("x.y.z", "$.get.missing"),
            mapping("all", "$.get.list[*].n"),
            mapping("last", "$.get.list[-1].n"),
        ],
    )
    upstreams = Scripted({"get": {"a": 1, "b": None, "list": [{"n": 1}, {"n": 2}]}})
    assert await file.value({}, upstreams) == {
        "route": {"from": 1, "to": None},
        "x": {"y": {"z": None}},
        "all": [1, 2],
        "last": 2,
    }


async def test_declared_outputs_give_types_and_nulls_to_what_mappings_made() -> None:
    outputs: list[dict[str, object]] = [
        {"name": "tonnage", "type": "number"},
        {"name": "name", "type": "string"},
        {"name": "active", "type": "boolean"},
        {
            "name": "crew",
            "type": "array",
            "items": [{"name": "fullName", "type": "string"}, {"name": "age", "type": "number"}],
        },
        {"name": "route", "type": "object", "properties": {"to": {"name": "to", "type": "string"}}},
        {"name": "never", "type": "string"},
    ]
    file = sequence(
        [operation("get")],
        [call("get")],
        mappings=[
            mapping("tonnage", "$.get.tonnage"),
            mapping("name", "$.get.name"),
            mapping("active", "$.get.active"),
            mapping("crew", "$.get.crew"),
            mapping("route.from", "$.get.port"),
            mapping("extra", "$.get.port"),
        ],
        outputs=outputs,
    )
    ship = {"tonnage": "51000.50", "name": 12, "active": "true", "port": "NO"}
    upstreams = Scripted({"get": ship | {"crew": {"fullName": "Ada"}}})
    outcome = await file.run({}, upstreams)
    assert isinstance(outcome, Answer)
    assert outcome.value == {
        "tonnage": Decimal("51000.50"),
        "name": "12",
        "active": True,
        "crew": [{"fullName": "Ada", "age": None}],
        "route": {"to": None, "from": "NO"},
        "never": None,
        "extra": "NO",
    }


async def test_outputs_with_paths_map_what_mappings_made() -> None:
    file = sequence(
        [operation("get")],
        [call("get")],
        mappings=[mapping("ship.name", "$.get.vessel")],
        outputs=[
            {
                "type": "object",
                "properties": {"name": {"type": "string", "mapping": "$.ship.name"}},
            }
        ],
    )
    assert await file.value({}, Scripted({"get": {"vessel": "Aurora"}})) == {"name": "Aurora"}


async def test_outputs_without_mappings_shape_the_last_calls_answer() -> None:
    file = sequence(
        [operation("one"), operation("two")],
        [call("one"), call("two")],
        outputs=[{"name": "n", "type": "number"}, {"name": "m", "type": "string"}],
    )
    assert await file.value({}, Scripted({"two": {"n": "5"}})) == {"n": 5, "m": None}


async def test_one_unnamed_output_is_the_whole_result() -> None:
    file = sequence(
        [operation("one")],
        [call("one")],
        mappings=[mapping("a", "$.one.a")],
        outputs=[{"type": "object", "properties": {"a": {"type": "number"}}}],
    )
    assert await file.value({}, Scripted({"one": {"a": "1"}})) == {"a": 1}
    plain = sequence([operation("one")], [call("one")], outputs=[{"type": "object"}])
    assert await plain.value({}, Scripted({"one": {"a": "1"}})) == {"a": "1"}


async def test_an_echoed_credential_is_hidden_in_mapped_results() -> None:
    token = "token-0123456789"
    file = sequence(
        [operation("read")],
        [call("read")],
        mappings=[mapping("echo", "$.read.echo")],
        consumes={"authentication": {"type": "bearer", "token": "{{TOKEN}}"}},
        binds=[{"namespace": "env", "keys": {"TOKEN": "TOKEN"}}],
        variables={"TOKEN": token},
    )
    answer = await file.value({}, Scripted({"read": {"echo": f"Bearer {token}"}}))
    assert answer == {"echo": "Bearer ***"}
