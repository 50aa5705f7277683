"""Where the operator's settings are looked for, and which version of them is in force."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from naftiko_runtime.problems import Severity
from naftiko_runtime.serving.collection import Collection, load_collection
from naftiko_runtime.serving.settings import SourceSettings
from tests.capability_text import capability

SETTLED = 60
"""Seconds since a file was written that leave no doubt that it is finished."""

READ_ONLY = 'guards: [{match: "orders.*", mode: read-only}]\n'
OPEN = 'guards: [{match: "orders.*"}]\n'

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(name: str, text: str, age: float = SETTLED) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o644)
        moment = time.time() - age
        os.utime(path, (moment, moment))
        return path

    return put


@pytest.fixture
def shop(write: Write) -> Path:
    """A capability in a folder."""
    return write("shop/orders.yaml", capability("orders", "http://localhost:1", "live", "cancel"))


def load(*paths: Path, before: Collection | None = None, chosen: Path | None = None) -> Collection:
    return load_collection(SourceSettings(paths, settings=chosen), before)


def rules(collection: Collection) -> list[str]:
    return [problem.rule for problem in collection.all_problems]


def tools(collection: Collection) -> list[str]:
    return [t.name for plan in collection.plans for a in plan.mcp for t in a.tools]


@pytest.mark.parametrize("name", ["runtime.yaml", "runtime.yml"])
@pytest.mark.parametrize("by_file", [True, False])
def test_settings_are_beside_the_files(shop: Path, write: Write, name: str, by_file: bool) -> None:
    settings = write(f"shop/{name}", READ_ONLY)
    loaded = load(shop if by_file else shop.parent)
    assert loaded.settings.file == settings
    assert [guard.match for guard in loaded.settings.guards] == [("orders.*",)]
    assert list(loaded.files) == [shop]
    assert rules(loaded) == []


def test_without_settings_there_are_safe_ones(shop: Path) -> None:
    loaded = load(shop.parent)
    assert loaded.settings.file is None
    assert loaded.settings.guards == ()
    assert loaded.settings.halt == shop.parent / "HALT"
    assert not loaded.has_bad_settings


def test_chosen_settings_count_instead_of_those_beside_the_files(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", "broken: [")
    chosen = write("etc/prod.yaml", READ_ONLY)
    loaded = load(shop.parent, chosen=chosen)
    assert loaded.settings.file == chosen
    assert rules(loaded) == []


def test_chosen_settings_in_the_served_folder_are_no_capability(shop: Path, write: Write) -> None:
    chosen = write("shop/prod.yaml", READ_ONLY)
    loaded = load(shop.parent, chosen=chosen)
    assert list(loaded.files) == [shop]
    assert rules(loaded) == []


def test_chosen_settings_have_to_be_there(shop: Path, tmp_path: Path) -> None:
    loaded = load(shop.parent, chosen=tmp_path / "nowhere.yaml")
    assert loaded.has_bad_settings
    assert rules(loaded) == ["file-missing"]


def test_settings_are_never_read_as_a_capability(shop: Path, write: Write) -> None:
    settings = write("shop/runtime.yaml", capability("evil", "http://localhost:1"))
    loaded = load(shop.parent)
    assert list(loaded.files) == [shop]
    assert loaded.has_bad_settings
    assert rules(loaded) == ["not-settings"]
    named = load(shop, settings)
    assert list(named.files) == [shop]
    assert sorted(rules(named)) == ["file-refused", "not-settings"]


def test_settings_of_a_subfolder_are_not_read_and_named(shop: Path, write: Write) -> None:
    nested = write("shop/more/runtime.yaml", READ_ONLY)
    loaded = load(shop.parent)
    assert loaded.settings.file is None
    problem = next(p for p in loaded.all_problems if p.rule == "unread-settings")
    assert (problem.place.file, problem.severity) == (str(nested), Severity.WARNING)


def test_two_different_settings_ask_for_a_choice(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", READ_ONLY)
    other = write("more/accounts.yaml", capability("accounts", "http://localhost:1"))
    write("more/runtime.yaml", READ_ONLY)
    loaded = load(shop, other)
    assert loaded.has_bad_settings
    assert rules(loaded) == ["several-settings"]


def test_the_same_settings_by_two_paths_are_one(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", READ_ONLY)
    other = write("shop/accounts.yaml", capability("accounts", "http://localhost:1"))
    assert not load(shop, other).has_bad_settings


@pytest.mark.skipif(os.name != "posix", reason="pipes are a matter of POSIX")
def test_a_pipe_is_no_settings_file(shop: Path) -> None:
    os.mkfifo(shop.parent / "runtime.yaml")
    loaded = load(shop.parent)
    assert loaded.has_bad_settings
    assert rules(loaded) == ["file-refused"]


def test_a_link_to_nothing_is_no_settings_file(shop: Path) -> None:
    (shop.parent / "runtime.yaml").symlink_to("nowhere.yaml")
    assert load(shop.parent).has_bad_settings


def test_settings_that_anybody_may_change_are_named(shop: Path, write: Write) -> None:
    path = write("shop/runtime.yaml", READ_ONLY)
    first = load(shop.parent)
    path.chmod(0o666)
    loaded = load(shop.parent, before=first)
    assert rules(loaded) == ["file-writable-by-all"]
    assert loaded.settings.guards


def test_a_new_version_counts_at_once(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", READ_ONLY)
    first = load(shop.parent)
    write("shop/runtime.yaml", OPEN)
    second = load(shop.parent, before=first)
    assert second.differs_from(first)
    assert second.settings.guards != first.settings.guards
    assert second.files[shop] is first.files[shop]


def test_nothing_differs_where_nothing_has_changed(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", READ_ONLY)
    first = load(shop.parent)
    assert not load(shop.parent, before=first).differs_from(first)


@pytest.mark.parametrize("broken", ["guards: [", "guard: []", "guards: []\nguards: []", "- 1"])
def test_the_last_good_settings_outlive_a_broken_version(
    shop: Path, write: Write, broken: str
) -> None:
    path = write("shop/runtime.yaml", READ_ONLY)
    first = load(shop.parent)
    write("shop/runtime.yaml", broken)
    second = load(shop.parent, before=first)
    assert second.settings == first.settings
    assert second.operator.kept
    assert not second.has_bad_settings
    assert {problem.place.file for problem in second.all_problems} == {str(path)}
    assert not load(shop.parent, before=second).differs_from(second)
    write("shop/runtime.yaml", READ_ONLY)
    third = load(shop.parent, before=second)
    assert not third.operator.kept
    assert rules(third) == []


def test_settings_with_an_error_at_the_start_leave_none(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", "guard: []")
    assert load(shop.parent).has_bad_settings


def test_settings_that_are_gone_stay_in_force(shop: Path, write: Write) -> None:
    path = write("shop/runtime.yaml", READ_ONLY)
    first = load(shop.parent)
    path.unlink()
    second = load(shop.parent, before=first)
    assert second.settings == first.settings
    assert rules(second) == ["settings-gone"]
    assert not load(shop.parent, before=second).differs_from(second)


@pytest.mark.parametrize("text", ["", "\n  \n"])
def test_settings_that_lose_their_content_stay_in_force(
    shop: Path, write: Write, text: str
) -> None:
    """As on a full disk, or by a slip of `>`."""
    write("shop/runtime.yaml", READ_ONLY)
    first = load(shop.parent)
    write("shop/runtime.yaml", text)
    second = load(shop.parent, before=first)
    assert second.settings == first.settings
    assert rules(second) == ["settings-gone"]
    write("shop/runtime.yaml", READ_ONLY)
    assert rules(load(shop.parent, before=second)) == []


@pytest.mark.parametrize("text", ["{}", "# nothing is guarded here"])
def test_a_file_that_says_nothing_takes_the_place_of_settings(
    shop: Path, write: Write, text: str
) -> None:
    write("shop/runtime.yaml", READ_ONLY)
    first = load(shop.parent)
    write("shop/runtime.yaml", text)
    assert load(shop.parent, before=first).settings.guards == ()


def test_an_empty_file_from_the_start_sets_nothing(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", "")
    first = load(shop.parent)
    assert not first.has_bad_settings
    assert load(shop.parent, before=first).settings.guards == ()


def test_other_settings_that_come_up_beside_leave_those_in_force(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", READ_ONLY)
    first = load(shop.parent)
    write("shop/runtime.yml", "")
    second = load(shop.parent, before=first)
    assert second.settings == first.settings
    assert rules(second) == ["several-settings"]


def test_settings_that_come_later_are_found(shop: Path, write: Write) -> None:
    first = load(shop.parent)
    write("shop/runtime.yaml", READ_ONLY)
    assert load(shop.parent, before=first).settings.guards


@pytest.mark.parametrize("half", ["", "upstreams: {}\n", "guards: ["])
def test_what_is_being_written_is_waited_for(shop: Path, write: Write, half: str) -> None:
    write("shop/runtime.yaml", READ_ONLY)
    first = load(shop.parent)
    write("shop/runtime.yaml", half, age=0)
    unfinished = load(shop.parent, before=first)
    assert unfinished.unsettled
    assert not unfinished.differs_from(first)
    write("shop/runtime.yaml", OPEN)
    finished = load(shop.parent, before=unfinished)
    assert not finished.unsettled
    assert finished.settings.guards != first.settings.guards


def test_a_variable_that_changes_makes_another_version(
    shop: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("APPROVALS", raising=False)
    write("shop/runtime.yaml", 'approvals: {password: "{{APPROVALS}}"}\n')
    variables = write("env", "APPROVALS=c4n4ry-one\n")
    source = SourceSettings((shop.parent,), variables)
    first = load_collection(source)
    write("env", "APPROVALS=c4n4ry-two\n")
    second = load_collection(source, first)
    passwords = [each.settings.approvals.password for each in (first, second)]
    assert [p.reveal() for p in passwords if p] == ["c4n4ry-one", "c4n4ry-two"]


def test_an_address_of_the_settings_replaces_that_of_the_files(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", "upstreams: {ORD*: {base-uri: 'https://example.com/v2'}}\n")
    first = load(shop.parent)
    assert first.plans[0].upstreams == {"orders": "https://example.com"}
    write("shop/runtime.yaml", "upstreams: {orders: {base-uri: 'https://example.org'}}\n")
    second = load(shop.parent, before=first)
    assert second.plans[0].upstreams == {"orders": "https://example.org"}


def test_an_address_of_the_command_line_comes_before_one_of_the_settings(
    shop: Path, write: Write
) -> None:
    write("shop/runtime.yaml", "upstreams: {orders: {base-uri: 'https://example.com'}}\n")
    source = SourceSettings((shop.parent,), base_uris={"orders": "http://localhost:5000"})
    assert load_collection(source).plans[0].upstreams == {"orders": "http://localhost:5000"}


def test_hidden_tools_are_not_in_the_plans(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", "tools: {hide: [ORDERS-C*]}\n")
    first = load(shop.parent)
    assert tools(first) == ["orders-live"]
    assert len(first.plans[0].rest[0].operations) == 2
    write("shop/runtime.yaml", "tools: {hide: []}\n")
    assert tools(load(shop.parent, before=first)) == ["orders-live", "orders-cancel"]


def test_a_tool_stays_hidden_while_a_broken_file_is_kept(shop: Path, write: Write) -> None:
    first = load(shop.parent)
    write("shop/orders.yaml", "naftiko: [")
    write("shop/runtime.yaml", "tools: {hide: ['*cancel']}\n")
    second = load(shop.parent, before=first)
    assert second.files[shop].kept
    assert tools(second) == ["orders-live"]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("upstreams:\n  order: {pool: 1}\n", 2, '"order" fits no consumed namespace of the files'),
        (
            "upstreams:\n  orders:\n    operations: {lvie: {pacing: {rate: 1/s}}}\n",
            3,
            '"lvie" fits no operation of "orders" of the files',
        ),
        ("guards:\n  - match: orders.lvie\n", 2, '"orders.lvie" fits no consumed operation'),
        ("guards:\n  - match: ['*', orders.lvie]\n", 2, '"orders.lvie" fits no consumed'),
        ("tools:\n  hide: [orders-lvie]\n", 2, '"orders-lvie" fits no tool of the files'),
    ],
)
def test_a_pattern_that_fits_nothing_is_named_with_its_place(
    shop: Path, write: Write, text: str, line: int, message: str
) -> None:
    path = write("shop/runtime.yaml", text)
    loaded = load(shop.parent)
    (problem,) = loaded.all_problems
    assert (problem.rule, problem.place.file) == ("unfit-pattern", str(path))
    assert (problem.place.line, problem.severity) == (line, Severity.WARNING)
    assert problem.message.startswith(message)
    assert problem.remedy.startswith("did you mean ")
    assert not loaded.has_bad_settings


def test_a_guard_of_a_whole_namespace_is_told_how_it_is_written(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", "guards: [{match: orders}]\n")
    (problem,) = load(shop.parent).all_problems
    assert problem.remedy == 'operations are written namespace.operation, as in "orders.*"'


@pytest.mark.parametrize(
    ("guards", "line"),
    [
        ("[{match: '*'},\n {match: orders.live, approve: true}]", 2),
        ("[{match: ORDERS.*, callers: [mcp]},\n {match: orders.live, callers: [mcp]}]", 2),
        ("[{match: orders.live},\n {match: '*'},\n {match: [orders.live, orders.cancel]}]", 3),
    ],
)
def test_a_guard_behind_others_that_fit_all_that_it_fits_is_named(
    shop: Path, write: Write, guards: str, line: int
) -> None:
    write("shop/runtime.yaml", f"guards: {guards}\n")
    loaded = load(shop.parent)
    (problem,) = loaded.all_problems
    assert (problem.rule, problem.place.line) == ("unreached-guard", line)
    assert problem.severity is Severity.WARNING
    assert not loaded.has_bad_settings


@pytest.mark.parametrize(
    "guards",
    [
        "[{match: orders.live}, {match: '*'}]",
        "[{match: '*', callers: [mcp]}, {match: orders.live}]",
        "[{match: '*', callers: [mcp]}, {match: orders.live, callers: [rest]}]",
    ],
)
def test_a_guard_that_decides_for_something_is_no_problem(
    shop: Path, write: Write, guards: str
) -> None:
    write("shop/runtime.yaml", f"guards: {guards}\n")
    assert rules(load(shop.parent)) == []


def test_a_keep_alive_call_has_to_be_there(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", "upstreams: {orders: {keep-alive: {call: orders.lve, every: 1m}}}\n")
    loaded = load(shop.parent)
    (problem,) = loaded.all_problems
    assert (problem.rule, problem.severity) == ("unknown-reference", Severity.ERROR)
    assert problem.remedy == 'did you mean "orders.live"?'
    assert not loaded.has_bad_settings


def test_settings_are_held_against_files_that_come_later(shop: Path, write: Write) -> None:
    write("shop/runtime.yaml", "upstreams: {accounts: {pool: 1}}\n")
    first = load(shop.parent)
    assert rules(first) == ["unfit-pattern"]
    write("shop/accounts.yaml", capability("accounts", "http://localhost:1"))
    assert rules(load(shop.parent, before=first)) == []
