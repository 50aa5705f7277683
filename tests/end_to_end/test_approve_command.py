"""Calls that wait for a person, and the commands with which one decides."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.end_to_end.approving import ORDER, SETTINGS, Floor, trading_floor
from tests.serving_process import run_naftiko


@pytest.fixture(scope="module")
def floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Floor]:
    with trading_floor(tmp_path_factory.mktemp("floor")) as running:
        yield running


def an_order(quantity: int) -> dict[str, object]:
    """One that no other test places."""
    return {**ORDER, "quantity": quantity}


def test_a_parked_call_names_its_approval(floor: Floor) -> None:
    problem = floor.place(an_order(1)).json()
    approval = problem["approval"]
    assert problem["type"].endswith(":approval-required")
    assert approval["url"] == f"{floor.page}/approvals/{approval['id']}"
    assert approval["preview"]["commission"] == "1.02 USD"
    assert floor.park(an_order(1)) == approval["id"]
    assert an_order(1) not in floor.orders


def test_an_approved_call_is_sent_once_when_it_is_made_again(floor: Floor) -> None:
    id_ = floor.park(an_order(2))
    code, printed, _ = floor.command("approve", id_)
    assert code == 0
    assert "approved: it is sent once" in printed
    assert floor.orders.count(an_order(2)) == 0
    assert floor.place(an_order(2)).status_code == 201
    assert floor.place(an_order(2)).status_code == 428
    assert floor.orders.count(an_order(2)) == 1


def test_an_approval_is_for_no_other_call(floor: Floor) -> None:
    floor.command("approve", floor.park(an_order(3)))
    assert floor.place(an_order(300)).status_code == 428
    assert an_order(300) not in floor.orders


@pytest.mark.parametrize("name", ["confirm", "approved", "approval", "force"])
def test_U5_no_argument_has_a_say(floor: Floor, name: str) -> None:
    id_ = floor.park(an_order(30))
    for value in (True, "yes", id_):
        assert floor.place({**an_order(30), name: value}).status_code == 428
    assert an_order(30) not in floor.orders


def test_a_refused_call_is_not_sent(floor: Floor) -> None:
    id_ = floor.park(an_order(4))
    code, printed, _ = floor.command("approve", "--refuse", id_)
    assert (code, "refused: nothing is sent" in printed) == (0, True)
    assert floor.place(an_order(4)).status_code == 403
    assert floor.command("approve", id_)[0] == 1
    assert an_order(4) not in floor.orders


def test_what_waits_is_listed_with_all_that_would_be_sent(floor: Floor) -> None:
    id_ = floor.park({"symbol": "BUY\u202e\x1b[2J", "quantity": 5})
    code, printed, _ = floor.command("approve", "--list")
    assert code == 0
    sent = ("POST", "/orders", '"quantity": 5', '"content-type": "application/json"')
    for shown in (id_, "desk.place", *sent, "1.02 USD", "s left"):
        assert shown in printed
    assert "<U+202E>" in printed
    assert "\x1b" not in printed
    assert "\u202e" not in printed


@pytest.mark.parametrize("id_", ["nothing", "../../x", "a b", "\x1b[2J"])
def test_an_unknown_id_is_an_error(floor: Floor, id_: str) -> None:
    code, printed, errors = floor.command("approve", id_)
    assert (code, printed) == (1, "")
    assert "waits" in errors
    assert "\x1b" not in errors


def test_other_users_cannot_read_the_key(floor: Floor) -> None:
    folder = Path(floor.env["NAFTIKO_RUNTIME_DIR"])
    (handle,) = folder.glob("*.json")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(handle.stat().st_mode) == 0o600


def test_the_key_is_served_nowhere(floor: Floor) -> None:
    (handle,) = Path(floor.env["NAFTIKO_RUNTIME_DIR"]).glob("*.json")
    key = handle.read_text().partition('"key": "')[2].partition('"')[0]
    assert len(key) > 30
    assert key not in floor.serving.log
    for base in (floor.serving.rest(), floor.page):
        for path in ("/", "/openapi.json", "/operator/calls", "/docs"):
            assert key not in httpx2.get(base + path, timeout=60, trust_env=False).text


@pytest.mark.parametrize("port", [8080, 9090])
def test_the_page_is_on_no_other_port(floor: Floor, port: int) -> None:
    base = f"http://127.0.0.1:{floor.serving.port(port)}"
    for path in ("/approvals/x", "/operator/calls", "/login", "/halt"):
        assert httpx2.get(base + path, timeout=60, trust_env=False).status_code in (404, 405)


def test_the_command_needs_one_thing_to_do(floor: Floor) -> None:
    assert floor.command("approve")[0] == 2
    assert floor.command("approve", "x", "--list")[0] == 2


def test_without_a_process_there_is_nobody_to_tell(tmp_path: Path) -> None:
    done = run_naftiko("approve", "--list", env={"NAFTIKO_RUNTIME_DIR": str(tmp_path / "none")})
    assert done.returncode == 1
    assert "no process of yours runs" in done.stderr


def test_a_folder_that_others_can_reach_is_not_believed(tmp_path: Path) -> None:
    folder = tmp_path / "running"
    folder.mkdir()
    folder.chmod(0o777)
    done = run_naftiko("approve", "--list", env={"NAFTIKO_RUNTIME_DIR": str(folder)})
    assert done.returncode == 1
    assert "open to other users" in done.stderr


def test_the_page_comes_and_goes_with_the_guards(tmp_path: Path) -> None:
    with trading_floor(tmp_path, "guards: []\n") as floor:
        assert not floor.serving.events_of("approvals")
        assert floor.place().status_code == 201
        (floor.folder / "runtime.yaml").write_text(SETTINGS)
        page = floor.page
        assert httpx2.get(page, timeout=60, trust_env=False).status_code == 401
        assert floor.place().status_code == 428
        (floor.folder / "runtime.yaml").write_text("guards: []\n")
        floor.serving.wait_for_event("approvals-closed")
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(page, timeout=60, trust_env=False)
        assert list(Path(floor.env["NAFTIKO_RUNTIME_DIR"]).glob("*.json")) == []


def test_without_a_password_a_link_is_printed_that_works_once(tmp_path: Path) -> None:
    with trading_floor(tmp_path, SETTINGS.partition("approvals")[0]) as floor:
        link = str(floor.serving.wait_for_event("approvals")["url"])
        assert "?token=" in link
        with httpx2.Client(timeout=60, trust_env=False, follow_redirects=True) as browser:
            assert browser.get(link).status_code == 200
        assert httpx2.get(link, timeout=60, trust_env=False).status_code == 403
        again = str(floor.serving.wait_for_event("approvals", 2)["url"])
        assert again != link
        with httpx2.Client(timeout=60, trust_env=False, follow_redirects=True) as browser:
            assert browser.get(again).status_code == 200
