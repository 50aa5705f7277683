"""Where variables come from, and what loading says of those that have no value."""

from __future__ import annotations

from pathlib import Path

import pytest

from naftiko_runtime.plan.load import LoadedFile, load_file
from naftiko_runtime.plan.operation import UpstreamRequest
from naftiko_runtime.problems import Consequence, Severity
from tests.loaded_calls import Given, LoadedCall, build, one_call_text, query

BEARER = {"type": "bearer", "token": "{{TOKEN}}"}


def load(
    folder: Path, binds: list[dict[str, object]], variables: dict[str, str], **parts: object
) -> LoadedFile:
    file = folder / "call.yaml"
    parts.setdefault("authentication", BEARER)
    file.write_text(one_call_text(binds=binds, **parts))  # type: ignore[arg-type]
    return load_file(file, variables, {})


def sent(loaded: LoadedFile) -> UpstreamRequest:
    return build(LoadedCall(loaded).tool, Given({}))


def bind(location: str | None = None, **keys: str) -> dict[str, object]:
    where = {} if location is None else {"location": location}
    return {"namespace": "vault", "keys": keys, **where}


def test_the_key_of_a_bind_names_the_source_and_its_variable_the_template(tmp_path: Path) -> None:
    loaded = load(tmp_path, [bind(TOKEN="GATEWAY_KEY")], {"GATEWAY_KEY": "a", "TOKEN": "b"})
    assert loaded.problems == ()
    assert sent(loaded).headers == [("Authorization", "Bearer a")]


def test_without_its_key_a_bind_takes_the_variable_of_its_own_name(tmp_path: Path) -> None:
    loaded = load(tmp_path, [bind(TOKEN="GATEWAY_KEY")], {"TOKEN": "b"})
    assert sent(loaded).headers == [("Authorization", "Bearer b")]


def test_a_file_of_variables_is_read_from_beside_the_capability(tmp_path: Path) -> None:
    (tmp_path / "secrets.yaml").write_text("gateway-key: from-file\n")
    loaded = load(tmp_path, [bind("file:///./secrets.yaml", TOKEN="gateway-key")], {"TOKEN": "b"})
    assert loaded.problems == ()
    assert sent(loaded).headers == [("Authorization", "Bearer from-file")]
    assert loaded.dependencies == (tmp_path / "secrets.yaml",)


@pytest.mark.parametrize("written", ["|\n  from-file\n", "'from-file\n\n'", '"from-file\\r\\n"'])
def test_the_line_break_at_the_end_of_a_value_is_no_part_of_it(
    tmp_path: Path, written: str
) -> None:
    (tmp_path / "secrets.yaml").write_text(f"key: {written}\n")
    loaded = load(tmp_path, [bind("file:///./secrets.yaml", TOKEN="key")], {})
    assert sent(loaded).headers == [("Authorization", "Bearer from-file")]


def test_a_file_that_is_not_there_is_watched_all_the_same(tmp_path: Path) -> None:
    loaded = load(tmp_path, [bind("file:///./secrets.yaml", TOKEN="k")], {"TOKEN": "b"})
    rules = [problem.rule for problem in loaded.problems]
    assert "bind-location" in rules
    assert loaded.dependencies == (tmp_path / "secrets.yaml",)


def test_the_environment_never_fills_a_variable_that_belongs_to_a_file(tmp_path: Path) -> None:
    (tmp_path / "secrets.yaml").write_text("other: x\n")
    loaded = load(
        tmp_path,
        [bind("file:///./secrets.yaml", TOKEN="TOKEN")],
        {"TOKEN": "from-the-environment"},
    )
    assert [problem.rule for problem in loaded.problems] == ["unset-variable"]
    with pytest.raises(Exception, match='"TOKEN" is not set'):
        sent(loaded)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("aws-secrets://data", "no provider for 'aws-secrets'"),
        ("https://secrets.example/x", "no provider for 'https'"),
        ("file:///nowhere/secrets.yaml", "No such file"),
    ],
)
def test_a_source_that_cannot_be_read_is_a_problem_and_the_rest_is_served(
    tmp_path: Path, location: str, said: str
) -> None:
    loaded = load(tmp_path, [bind(location, TOKEN="k")], {})
    (problem,) = [p for p in loaded.problems if p.rule == "bind-location"]
    assert said in problem.message
    assert problem.consequence is Consequence.NOTHING
    assert problem.place.line > 1
    assert loaded.plan is not None
    assert loaded.plan.mcp[0].tools != ()


def test_an_unset_variable_is_a_warning_at_its_line(tmp_path: Path) -> None:
    loaded = load(tmp_path, [bind(TOKEN="GATEWAY_KEY")], {})
    (problem,) = loaded.problems
    assert problem.severity is Severity.WARNING
    assert 'there is no "GATEWAY_KEY" in the environment' in problem.message
    text = (tmp_path / "call.yaml").read_text().splitlines()
    assert "TOKEN: GATEWAY_KEY" in text[problem.place.line - 1]


@pytest.mark.parametrize(
    "parts",
    [
        {"parameters": [query("x", value="{{env.OTHER}}")], "authentication": None},
        {"tool_with": {"x": "{{env.OTHER}}"}, "parameters": [query("x")], "authentication": None},
        {"rest_with": {"x": "{{env.OTHER}}"}, "parameters": [query("x")], "authentication": None},
        {"outputs": [{"type": "string", "value": "{{env.OTHER}}"}], "authentication": None},
        {"authentication": {"type": "bearer", "token": "{{OTHER}}"}},
    ],
)
def test_a_variable_that_is_used_but_not_declared_is_a_warning_wherever_it_is_used(
    tmp_path: Path, parts: dict[str, object]
) -> None:
    loaded = load(tmp_path, [], {"OTHER": "x"}, **parts)
    (problem,) = loaded.problems
    assert problem.rule == "undeclared-variable"
    assert problem.severity is Severity.WARNING
    assert "OTHER" in problem.message


def test_an_undeclared_variable_comes_from_the_environment(tmp_path: Path) -> None:
    assert sent(load(tmp_path, [], {"TOKEN": "x"})).headers == [("Authorization", "Bearer x")]


def test_two_binds_of_one_variable_are_told_apart_by_their_namespaces(tmp_path: Path) -> None:
    binds: list[dict[str, object]] = [
        {"namespace": "one", "keys": {"TOKEN": "ONE"}},
        {"namespace": "two", "keys": {"TOKEN": "TWO"}},
    ]
    values = {"ONE": "first", "TWO": "second"}
    for namespace, value in (("one", "first"), ("two", "second")):
        authentication = {"type": "bearer", "token": f"{{{{{namespace}.TOKEN}}}}"}
        loaded = load(tmp_path, binds, values, authentication=authentication)
        assert sent(loaded).headers == [("Authorization", f"Bearer {value}")]


def test_no_problem_and_no_plan_shows_a_value(tmp_path: Path) -> None:
    canary = "canary-91c0e4"
    loaded = load(
        tmp_path,
        [bind(TOKEN="TOKEN", SECOND="SECOND")],
        {"TOKEN": canary},
        base_uri="https://api.example.com/{{SECOND}}",
    )
    assert canary not in repr(loaded)
    assert loaded.problems != ()


@pytest.mark.parametrize(("environment", "token"), [({}, "spare"), ({"KEY": "mine"}, "mine")])
def test_a_default_stands_for_a_variable_without_a_value(
    tmp_path: Path, environment: dict[str, str], token: str
) -> None:
    binding = {**bind(TOKEN="KEY"), "defaults": {"TOKEN": "spare"}}
    loaded = load(tmp_path, [binding], environment)
    assert loaded.problems == ()
    assert sent(loaded).headers == [("Authorization", f"Bearer {token}")]
