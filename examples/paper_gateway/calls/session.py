"""Login state: status, tickle, opening the brokerage session, logging out."""

from __future__ import annotations

from examples.paper_gateway.call import Call, CallRoute
from examples.paper_gateway.gateway import PaperGateway
from examples.paper_gateway.json_values import JsonValue
from examples.paper_gateway.refusal import Refusal


def auth_status(gateway: PaperGateway, call: Call) -> JsonValue:
    return gateway.session.auth_status()


def tickle(gateway: PaperGateway, call: Call) -> JsonValue:
    return gateway.session.tickle()


def open_brokerage(gateway: PaperGateway, call: Call) -> JsonValue:
    publish, compete = call.field("publish"), call.field("compete")
    if publish is not True or not isinstance(compete, bool):
        raise Refusal(400, "Bad Request: publish must be true and compete true or false")
    gateway.session.open_brokerage(compete=compete)
    return gateway.session.auth_status()


def reauthenticate(gateway: PaperGateway, call: Call) -> JsonValue:
    gateway.session.open_brokerage(compete=False)
    return {"message": "triggered"}


def validate(gateway: PaperGateway, call: Call) -> JsonValue:
    return gateway.session.validation()


def log_out(gateway: PaperGateway, call: Call) -> JsonValue:
    gateway.session.log_out()
    return {"status": True}


CALLS = (
    CallRoute(("GET", "POST"), "/iserver/auth/status", auth_status),
    CallRoute(("GET", "POST"), "/tickle", tickle),
    CallRoute(("POST",), "/iserver/auth/ssodh/init", open_brokerage),
    CallRoute(("GET", "POST"), "/iserver/reauthenticate", reauthenticate),
    CallRoute(("GET",), "/sso/validate", validate),
    CallRoute(("GET", "POST"), "/logout", log_out),
)
