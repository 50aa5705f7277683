"""A page of another site cannot make a browser change anything: not with an image or a link, which
come without `Origin`, and not with a form or a script, which come with one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.guards.shop import SHOP, Shop, problem, shop

FILE = SHOP.replace(
    "        - path: /raw/{path}\n",
    """\
        - path: /accounts/{account}/buy-by-link
          operations:
            - {method: GET, name: buy-by-link, call: shop.buy}
        - path: /accounts/{account}/steps-by-link
          operations:
            - method: GET
              name: steps-by-link
              steps:
                - {type: call, name: look, call: shop.list-orders}
                - {type: call, name: buy, call: shop.buy, with: {id: a, quantity: 1, side: BUY}}
        - path: /overridden
          operations:
            - method: GET
              name: overridden
              call: shop.list-as
              inputParameters:
                - {name: X-HTTP-Method-Override, in: query, type: string}
        - path: /search-by-link
          operations:
            - {method: GET, name: search-by-link, call: shop.search-safely}
        - path: /raw/{path}
""",
).replace(
    "        - name: anything\n",
    """\
        - name: search-safely
          path: /search
          operations:
            - {name: search-safely, method: POST, semantics: {safe: true}}
        - name: list-as
          path: /accounts/A1/orders
          operations:
            - name: list-as
              method: GET
              inputParameters:
                - {name: X-HTTP-Method-Override, in: header}
        - name: anything
""",
    1,
)

LINK = "/accounts/A1/buy-by-link?id=first&quantity=5&side=BUY"
BUY = {"id": "first", "quantity": 5, "side": "BUY"}
FOREIGN = ["cross-site", "same-site"]


@pytest.fixture(scope="module")
def shopping() -> Iterator[Shop]:
    with shop(files=(FILE,)) as running:
        yield running


@pytest.mark.parametrize("site", FOREIGN)
@pytest.mark.parametrize(
    "target",
    [LINK, "/accounts/A1/steps-by-link", "/overridden?X-HTTP-Method-Override=DELETE"],
)
def test_an_image_or_a_link_of_another_site_changes_nothing(
    shopping: Shop, site: str, target: str
) -> None:
    before = len(shopping.writes)
    answered = shopping.files.get(target, {"Sec-Fetch-Site": site, "Sec-Fetch-Dest": "image"})
    assert problem(answered) == (403, "forbidden-host")
    assert answered.json()["field"] == "Sec-Fetch-Site"
    assert "buy" not in answered.json()["detail"]
    assert len(shopping.writes) == before


@pytest.mark.parametrize("site", FOREIGN)
@pytest.mark.parametrize("target", ["/accounts/A1/buy", "/raw/accounts/A1/orders"])
@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_a_form_of_another_site_changes_nothing(
    shopping: Shop, site: str, target: str, kind: str
) -> None:
    before = len(shopping.writes)
    told = {"Sec-Fetch-Site": site, "content-type": kind}
    answered = shopping.files.call("POST", target, b'{"id": "first"}', told)
    assert problem(answered) == (403, "forbidden-host")
    assert len(shopping.writes) == before


@pytest.mark.parametrize("site", FOREIGN)
def test_a_tool_is_not_called_from_another_site(shopping: Shop, site: str) -> None:
    message = (
        b'{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "buy", '
        b'"arguments": {"account": "A1", "id": "i", "quantity": 1, "side": "BUY"}}}'
    )
    told = {"Sec-Fetch-Site": site, "content-type": "text/plain"}
    before = len(shopping.writes)
    answered = shopping.files.call("POST", "/mcp", message, told, port=9090)
    assert problem(answered) == (403, "forbidden-host")
    assert len(shopping.writes) == before


@pytest.mark.parametrize(
    "said", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
def test_programs_own_pages_and_typed_addresses_are_answered(
    shopping: Shop, said: dict[str, str]
) -> None:
    assert shopping.files.get(LINK, said).status == 200
    assert shopping.files.post("/accounts/A1/buy", BUY, said).status == 200
    own = f"http://127.0.0.1:{shopping.files.port()}"
    assert shopping.files.post("/accounts/A1/buy", BUY, {**said, "Origin": own}).status == 200


@pytest.mark.parametrize("site", FOREIGN)
@pytest.mark.parametrize(
    "target", ["/accounts/A1/orders", "/search-by-link", "/raw/accounts/A1/orders", "/docs"]
)
def test_what_only_reads_can_be_linked_to(shopping: Shop, site: str, target: str) -> None:
    answered = shopping.files.get(target, {"Sec-Fetch-Site": site})
    assert answered.status == 200
    assert answered.header("access-control-allow-origin") is None


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1"])
@pytest.mark.parametrize("target", [LINK, "/accounts/A1/orders"])
def test_an_origin_of_another_page_is_refused_whatever_else_is_said(
    shopping: Shop, origin: str, target: str
) -> None:
    answered = shopping.files.get(target, {"Origin": origin, "Sec-Fetch-Site": "same-origin"})
    assert problem(answered) == (403, "forbidden-host")
