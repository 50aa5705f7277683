"""What is suggested after reloads, against what is suggested after a new start."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.exposes.rest.suggestions import RouteIndex, index_routes

SEGMENTS = st.sampled_from(["v1", "orders", "Orders", "accounts", "{id}", "live", "live-orders"])
ROUTES = st.lists(SEGMENTS, min_size=1, max_size=4).map(lambda segments: "/" + "/".join(segments))
VERSIONS = st.lists(st.lists(ROUTES, max_size=6), min_size=1, max_size=5)


@given(VERSIONS, st.lists(ROUTES, min_size=1, max_size=5))
def test_routes_that_come_and_go_leave_the_same_suggestions_as_a_new_start(
    versions: list[list[str]], asked: list[str]
) -> None:
    index: RouteIndex | None = None
    for routes in versions:
        index = index_routes(routes, index)
        anew = index_routes(routes)
        assert index.sizes == anew.sizes
        assert [index.closest(path) for path in asked] == [anew.closest(path) for path in asked]
