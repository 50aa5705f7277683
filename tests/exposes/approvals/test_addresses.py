"""The address of the approval page as callers are told it."""

from __future__ import annotations

import pytest

from naftiko_runtime.settings.model import ApprovalPage


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (ApprovalPage(), "http://127.0.0.1:9099/approvals/a1"),
        (ApprovalPage(port=9100, address="::1"), "http://[::1]:9100/approvals/a1"),
        (ApprovalPage(address="0.0.0.0"), "http://127.0.0.1:9099/approvals/a1"),
        (ApprovalPage(address="::"), "http://[::1]:9099/approvals/a1"),
        (ApprovalPage(url="https://ok.example/n/"), "https://ok.example/n/approvals/a1"),
    ],
)
def test_a_link_is_what_a_person_can_open(page: ApprovalPage, expected: str) -> None:
    assert page.link("a1") == expected
