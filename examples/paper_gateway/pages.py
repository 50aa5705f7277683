"""What a browser sees: the page with the login button, and the refusals in HTML."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import HTMLResponse, Response

from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.session import ACCOUNT

LOGIN_PATH = "/sso/Login"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Paper gateway</title></head>
<body>
<h1>Paper gateway</h1>
<p>A simulator of the Client Portal Gateway. No broker, no real money.</p>
<p>Account {account}: <strong>{state}</strong></p>
<form method="post" action="/paper/login"><button>Log in</button></form>
</body>
</html>
"""

_DENIAL = """<!DOCTYPE html>
<html><head><title>{status} {phrase}</title></head>
<body><h1>Access Denied</h1><p>{status} {phrase}</p></body></html>
"""


def login_page(gateway: PaperGateway) -> Response:
    state = gateway.session.state
    shown = {"open": "logged in", "logged-out": "logged out"}.get(state, f"session {state}")
    return HTMLResponse(_PAGE.format(account=ACCOUNT, state=shown))


def denial(status: int) -> Response:
    """A refusal without JSON, as the gateway's front door gives it."""
    return HTMLResponse(_DENIAL.format(status=status, phrase=HTTPStatus(status).phrase), status)
