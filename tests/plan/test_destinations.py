"""Where requests go, in one spelling for all that mean the same."""

from __future__ import annotations

import pytest

from naftiko_runtime.plan.destinations import destination_of, leads_to
from tests.loaded_calls import one_call

BASE = "https://localhost:5000/v1/api"


def is_target(url: str, path: str = "/accounts/{account}/orders", base: str = BASE) -> bool:
    loaded = one_call(path=path, method="POST", base_uri=base)
    assert loaded.file.plan is not None
    (target,) = loaded.file.plan.targets
    assert target.operation == "up.run"
    assert target.method == "POST"
    return leads_to(destination_of(url), target)


@pytest.mark.parametrize(
    "url",
    [
        BASE + "/accounts/A1/orders",
        BASE + "/accounts/A1/orders?x=1",
        BASE + "/accounts/A1/orders/",
        BASE + "/ACCOUNTS/a1/Orders",
        BASE + "//accounts/A1//orders",
        BASE + "/accounts/A1/./orders",
        BASE + "/accounts/A1/x/../orders",
        BASE + "/accounts/A1/%6Frders",
        BASE + "/accounts/A1/%256Frders",
        BASE + "/accounts%2FA1%2Forders",
        BASE + "/accounts/A%2F1/orders",
        BASE + "/accounts/A1/orders;a=b",
        BASE + "/accounts;x/A1/orders",
        "https://127.0.0.1:5000/v1/api/accounts/A1/orders",
        "https://[::1]:5000/v1/api/accounts/A1/orders",
        "https://LOCALHOST.:5000/v1/api/accounts/A1/orders",
    ],
)
def test_other_spellings_lead_to_the_same_place(url: str) -> None:
    assert is_target(url)


@pytest.mark.parametrize(
    "url",
    [
        BASE + "/accounts/A1/orders/check",
        BASE + "/accounts/orders",
        BASE + "/accounts/A1/order",
        "https://localhost:5001/v1/api/accounts/A1/orders",
        "http://localhost:5000/v1/api/accounts/A1/orders",
        "https://elsewhere.example/v1/api/accounts/A1/orders",
        "https://localhost:5000/accounts/A1/orders",
    ],
)
def test_other_places_are_told_apart(url: str) -> None:
    assert not is_target(url)


def test_a_port_that_goes_without_saying_is_the_same() -> None:
    assert is_target("https://api.example.com:443/x", "/x", "https://API.example.com")


def test_letters_of_a_path_that_mean_something_in_patterns_mean_themselves() -> None:
    assert is_target(BASE + "/a.b+(c)/x", "/a.b+(c)/{d}")
    assert not is_target(BASE + "/aXb+(c)/x", "/a.b+(c)/{d}")
