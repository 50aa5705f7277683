"""Recognises by an answer that nobody is logged in to an upstream any more.

Some upstreams keep the session themselves: a person logs in there in a browser, and calls carry no
credentials. When the session ends they answer with a 401, lead to their login page, or send that
page in place of data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from naftiko_runtime.consumes.addresses import AddressError, split_url
from naftiko_runtime.consumes.decoding import looks_like_html
from naftiko_runtime.consumes.faults import label
from naftiko_runtime.failures import CallFailed, Failure, FailureKind
from naftiko_runtime.plan.calls import UpstreamRequest, changes_nothing

_UNAUTHORIZED: Final = 401
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_PAGES: Final = ("text/html", "application/xhtml+xml")


def tells_session_end(status: int, headers: Sequence[tuple[str, str]], body: bytes = b"") -> bool:
    """Whether an answer is one of somebody who wants a login first. `body` may be its beginning,
    or nothing where it is not known."""
    if status == _UNAUTHORIZED or status in _REDIRECTS:
        return True
    return status == 200 and (_declares_page(headers) or looks_like_html(body))


def session_ended(request: UpstreamRequest, status: int, login: str) -> CallFailed:
    """What a call ends in whose answer `tells_session_end`; `login` is where a person logs in.

    A 401 says that the request has not been applied (RFC 9110, section 15.5.2). A redirect and a
    page say nothing of the kind.
    """
    try:
        address = split_url(request.url)[0]
    except AddressError:
        address = None
    executed = status != _UNAUTHORIZED
    detail = (
        f"{label(request, address)}: nobody is logged in there any more - log in at {login}, then "
        "repeat the call"
    )
    if executed and not changes_nothing(request):
        detail += "; it may have been carried out, so look before repeating it"
    return CallFailed(
        Failure(FailureKind.SESSION_ENDED, detail, executed=executed, details={"login": login})
    )


def _declares_page(headers: Sequence[tuple[str, str]]) -> bool:
    for name, value in headers:
        if name == "content-type":
            return value.partition(";")[0].strip().lower() in _PAGES
    return False
