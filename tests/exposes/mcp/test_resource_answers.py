"""Resources that are answers of operations: their URIs, their variables, and their failures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcp import MCPError
from mcp_types import BlobResourceContents, TextResourceContents

from tests.exposes.mcp.files import a_file, offering, write
from tests.exposes.mcp.listener import ERAS
from tests.recording_upstream import RecordingUpstream, Reply, reply_json

pytestmark = pytest.mark.anyio

ORDER = {"name": "get-order", "path": "/orders/{order_id}"}
RESOURCE = a_file(
    "order",
    "orders://orders/{orderId}",
    call="up.get-order",
    **{"with": {"order_id": "{{orderId}}"}},
)


@asynccontextmanager
async def reader(
    folder: Path, upstream: RecordingUpstream, era: str, *operations: Any, **parts: Any
) -> AsyncIterator[Any]:
    path = write(folder, upstream=upstream.url, operations=operations, **parts)
    async with offering(path, TOKEN="canary-5d1e9a77") as listener, listener.client(era) as client:
        yield client


async def content(client: Any, uri: str) -> TextResourceContents:
    (found,) = (await client.read_resource(uri)).contents
    assert isinstance(found, TextResourceContents)
    assert found.uri == uri
    return found


async def refusal(client: Any, uri: str) -> MCPError:
    with pytest.raises(MCPError) as caught:
        await client.read_resource(uri)
    error: MCPError = caught.value
    return error


@pytest.mark.parametrize("era", ERAS)
async def test_a_uri_with_variables_is_listed_as_a_template_and_read(
    tmp_path: Path, upstream: RecordingUpstream, era: str
) -> None:
    upstream.answers(reply_json({"id": 7}))
    async with reader(tmp_path, upstream, era, ORDER, resources=[RESOURCE]) as client:
        (template,) = (await client.list_resource_templates()).resource_templates
        listed = (await client.list_resources()).resources
        found = await content(client, "orders://orders/7")
    assert (template.uri_template, template.mime_type) == (
        "orders://orders/{orderId}",
        "application/json",
    )
    assert (template.name, template.title, template.description) == ("order", "Order", "The order.")
    assert listed == []
    assert (found.mime_type, found.text) == ("application/json", '{"id": 7}')
    assert upstream.requests[0].target == "/orders/7"


@pytest.mark.parametrize("era", ERAS)
async def test_a_uri_without_variables_is_listed_and_its_answer_is_mapped(
    tmp_path: Path, upstream: RecordingUpstream, era: str
) -> None:
    upstream.answers(Reply(200, [("content-type", "application/json")], b'{"a":{"b":0.10},"c":1}'))
    resource = a_file(
        "rate",
        "rates://now",
        call="up.now",
        mimeType="application/x-rate",
        outputParameters=[
            {
                "type": "object",
                "properties": {"rate": {"type": "number", "mapping": "$.a.b"}},
            }
        ],
    )
    now = {"name": "now", "path": "/now"}
    async with reader(tmp_path, upstream, era, now, resources=[resource]) as client:
        (listed,) = (await client.list_resources()).resources
        found = await content(client, "rates://now")
    assert (listed.uri, listed.mime_type) == ("rates://now", "application/x-rate")
    assert (found.mime_type, found.text) == ("application/x-rate", '{"rate":0.10}')


@pytest.mark.parametrize("era", ERAS)
async def test_steps_and_their_mappings_make_the_content(
    tmp_path: Path, upstream: RecordingUpstream, era: str
) -> None:
    upstream.answers(reply_json({"owner": "o 1"}), reply_json({"name": "Ann"}))
    resource = a_file(
        "owner",
        "orders://orders/{orderId}/owner",
        steps=[
            {
                "name": "order",
                "type": "call",
                "call": "up.get-order",
                "with": {"order_id": "shop.orderId"},
            },
            {
                "name": "person",
                "type": "call",
                "call": "up.person",
                "with": {"id": "{{order.owner}}"},
            },
        ],
        mappings=[{"targetName": "owner.name", "value": "$.person.name"}],
    )
    person = {"name": "person", "path": "/people/{id}"}
    async with reader(tmp_path, upstream, era, ORDER, person, resources=[resource]) as client:
        found = await content(client, "orders://orders/7/owner")
    assert found.text == '{"owner":{"name":"Ann"}}'
    assert [request.target for request in upstream.requests] == ["/orders/7", "/people/o%201"]


async def test_a_resource_without_call_answers_from_its_values(tmp_path: Path) -> None:
    greeting = a_file(
        "greeting",
        "hello://{first-name}/{year}",
        outputParameters=[
            {"name": "text", "type": "string", "value": "Hello {{first-name}}"},
            {"name": "year", "type": "integer", "value": "{{year}}"},
        ],
    )
    path = write(tmp_path, resources=[greeting])
    async with offering(path) as listener, listener.client(ERAS[1]) as client:
        (template,) = (await client.list_resource_templates()).resource_templates
        found = await content(client, "hello://Ann%20Lee%7B%7Byear%7D%7D/1999")
    assert template.uri_template == "hello://{first_name}/{year}"
    assert found.text == '{"text":"Hello Ann Lee{{year}}","year":1999}'


@pytest.mark.parametrize(
    ("written", "target"),
    [
        ("a%2Fb", "/orders/a%2Fb"),
        ("%2e%2e%2fadmin", "/orders/..%2Fadmin"),
        ("..%2f..%2f..", "/orders/..%2F..%2F.."),
        ("x%3Fadmin%3D1%23", "/orders/x%3Fadmin%3D1%23"),
        ("%25%32%66", "/orders/%252f"),
        ("a b", "/orders/a%20b"),
        ("%C3%A9", "/orders/%C3%A9"),
        ("{{orderId}}", "/orders/%7B%7BorderId%7D%7D"),
    ],
)
async def test_A1_a_variable_stays_one_segment_upstream(
    tmp_path: Path, upstream: RecordingUpstream, written: str, target: str
) -> None:
    upstream.answers(reply_json({}))
    async with reader(tmp_path, upstream, ERAS[1], ORDER, resources=[RESOURCE]) as client:
        await content(client, f"orders://orders/{written}")
    assert [request.target for request in upstream.requests] == [target]


@pytest.mark.parametrize(
    "uri",
    [
        "orders://orders/",
        "orders://orders/a/b",
        "orders://orders/../admin",
        "orders://orders/a?b=c",
        "orders://orders/a#b",
        "ORDERS://orders/1",
        "orders://orders/1/",
        "orders://orders/%",
        "orders://orders/%zz",
        "orders://orders/%ff",
        "orders://orders/%c0%af",
        "orders://orders/%ed%a0%80",
        "orders://orders/..",
        "orders://orders/%2e",
        "orders://orders/" + "1" * 9000,
    ],
)
@pytest.mark.parametrize("era", ERAS)
async def test_A1_a_uri_that_is_no_resource_calls_nobody(
    tmp_path: Path, upstream: RecordingUpstream, uri: str, era: str
) -> None:
    async with reader(tmp_path, upstream, era, ORDER, resources=[RESOURCE]) as client:
        error = await refusal(client, uri)
    assert error.code == -32602
    assert error.data["uri"] == uri
    assert upstream.requests == []


@given(value=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
@settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_A1_any_value_arrives_as_one_segment_or_not_at_all(
    value: str, tmp_path: Path, upstream: RecordingUpstream
) -> None:
    upstream.requests.clear()
    upstream.answers(reply_json({}))
    async with reader(tmp_path, upstream, ERAS[1], ORDER, resources=[RESOURCE]) as client:
        uri = f"orders://orders/{quote(value, safe='')}"
        if value in (".", ".."):
            assert (await refusal(client, uri)).code == -32602
            assert upstream.requests == []
        else:
            await content(client, uri)
            (request,) = upstream.requests
            start, sent = request.target[:8], request.target[8:]
            assert start == "/orders/"
            assert unquote(sent) == value
            assert not set(sent) & set("/?# ")


async def test_a_variable_is_checked_against_the_type_that_the_call_wants(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    upstream.answers(reply_json({}))
    page = {
        "name": "page",
        "path": "/pages",
        "inputParameters": [{"name": "number", "in": "query", "type": "integer"}],
    }
    resource = a_file("page", "pages://{number}", call="up.page")
    async with reader(tmp_path, upstream, ERAS[1], page, resources=[resource]) as client:
        await content(client, "pages://12")
        error = await refusal(client, "pages://twelve")
    assert error.code == -32602
    assert '"number"' in error.message
    assert [request.target for request in upstream.requests] == ["/pages?number=12"]


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500])
@pytest.mark.parametrize("era", ERAS)
async def test_an_upstreams_error_is_an_error_and_no_content(
    tmp_path: Path, upstream: RecordingUpstream, status: int, era: str
) -> None:
    upstream.answers(reply_json({"why": "because"}, status, [("retry-after", "3")]))
    async with reader(tmp_path, upstream, era, ORDER, resources=[RESOURCE]) as client:
        error = await refusal(client, "orders://orders/7")
    assert error.code == -32603
    assert f"HTTP {status} from up.get-order (Retry-After: 3)" in error.message
    assert "because" in error.message
    assert error.data == {"uri": "orders://orders/7", "status": status}


async def test_a_failed_step_is_named_with_the_upstreams_status(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    upstream.answers(reply_json({}, 503))
    steps = [
        {"name": "fetch", "type": "call", "call": "up.get-order", "with": {"order_id": "{{id}}"}}
    ]
    resource = a_file("order", "orders://{id}", steps=steps)
    async with reader(tmp_path, upstream, ERAS[1], ORDER, resources=[resource]) as client:
        error = await refusal(client, "orders://7")
    assert 'step "fetch": "up.get-order" answered with status 503' in error.message
    assert error.data["step"] == "fetch"
    assert error.data["status"] == 503


async def test_an_upstream_that_cannot_be_reached_is_an_error(tmp_path: Path) -> None:
    path = write(tmp_path, operations=[ORDER], resources=[RESOURCE])
    async with offering(path) as listener, listener.client(ERAS[1]) as client:
        error = await refusal(client, "orders://orders/7")
    assert error.code == -32603
    assert error.data["type"] == "upstream-unreachable"


async def test_R7_credentials_that_an_upstream_echoes_are_not_shown(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    upstream.answers(
        reply_json({"seen": "Bearer canary-5d1e9a77"}),
        reply_json({"seen": "Bearer canary-5d1e9a77"}, 500),
    )
    parts: dict[str, Any] = {
        "binds": [{"namespace": "env", "keys": {"TOKEN": "TOKEN"}}],
        "authentication": {"type": "bearer", "token": "{{TOKEN}}"},
    }
    async with reader(tmp_path, upstream, ERAS[0], ORDER, resources=[RESOURCE], **parts) as client:
        found = await content(client, "orders://orders/7")
        error = await refusal(client, "orders://orders/7")
    assert upstream.requests[0].header("authorization") == "Bearer canary-5d1e9a77"
    assert "canary" not in found.text + str(error)


async def test_bytes_come_as_a_blob_and_text_in_its_own_type(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    upstream.answers(
        Reply(200, [("content-type", "image/png")], b"\x89PNG\x00"),
        Reply(200, [("content-type", "text/html; charset=latin-1")], b"<p>\xe9</p>"),
        Reply(204),
    )
    async with reader(tmp_path, upstream, ERAS[1], ORDER, resources=[RESOURCE]) as client:
        (blob,) = (await client.read_resource("orders://orders/7")).contents
        page = await content(client, "orders://orders/8")
        nothing = await content(client, "orders://orders/9")
    assert isinstance(blob, BlobResourceContents)
    assert (blob.mime_type, blob.blob) == ("image/png", "iVBORwA=")
    assert (page.mime_type, page.text) == ("text/html", "<p>é</p>")
    assert (nothing.mime_type, nothing.text) == ("application/json", "")


async def test_a_uri_of_its_own_wins_over_a_template(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    upstream.answers(reply_json({}))
    latest = {"name": "latest", "path": "/latest"}
    own = a_file("latest", "orders://orders/latest", call="up.latest")
    parts = {"resources": [RESOURCE, own]}
    async with reader(tmp_path, upstream, ERAS[1], ORDER, latest, **parts) as client:
        await content(client, "orders://orders/latest")
        await content(client, "orders://orders/newest")
    assert [request.target for request in upstream.requests] == ["/latest", "/orders/newest"]
