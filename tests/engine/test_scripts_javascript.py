"""JavaScript steps: what they see and give, how they fail, and that nothing leads out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from naftiko_runtime.engine.outcome import Answer
from tests.engine.scripting import Runner, anyio_backend, processes
from tests.script_files import any_input, script, scripts

__all__ = ["anyio_backend", "processes"]

pytestmark = pytest.mark.anyio


@pytest.fixture
def js(tmp_path: Path) -> Runner:
    return Runner(tmp_path, ".js")


# --- results ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "result = {a: 1};",
        "'use strict'; result = {a: 1}",
        "const result = {a: 1}",
        "let result; result = {a: 1}",
        "var result = {a: 1}",
        "function result2() { return {a: 1} }\nresult = result2()",
        "globalThis.result = {a: 1}",
        "this.result = {a: 1}",
        "(async () => { await null; result = {a: 1} })()",
    ],
)
async def test_result_is_the_output_however_it_is_assigned(js: Runner, text: str) -> None:
    assert await js.value(text) == {"a": 1}


async def test_a_script_without_a_result_stores_nothing(tmp_path: Path) -> None:
    file = scripts(tmp_path, {"a.js": "const x = 1"}, [script("a.js")], mappings=[])
    outcome = await file.run()
    assert isinstance(outcome, Answer)
    assert outcome.body == b"null"


async def test_undefined_is_no_result_and_null_is_one(tmp_path: Path) -> None:
    files = {
        "none.js": "result = undefined",
        "null.js": "result = null",
        "see.js": "result = Object.keys(context).sort()",
    }
    steps = [script("none.js", "none"), script("null.js", "null"), script("see.js", "see")]
    assert await scripts(tmp_path, files, steps).value() == {"value": ["null"]}


async def test_what_json_knows_is_given_as_it_is(js: Runner) -> None:
    text = """
        result = {
          text: "a\\u2028\\u{1F600}\\"", list: [1, [true, null]], none: null, left: undefined,
          when: new Date(0), whole: new Number(1), own: Object.create(null), hole: [, 1],
        }
    """
    assert await js.value(text) == {
        "text": 'a\u2028\U0001f600"',
        "list": [1, [True, None]],
        "none": None,
        "when": "1970-01-01T00:00:00.000Z",
        "whole": 1,
        "own": {},
        "hole": [None, 1],
    }


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("NaN", "gave no JSON: result holds NaN"),
        ("{a: [1, {b: 1 / 0}]}", 'gave no JSON: result holds Infinity at "b"'),
        ("() => 1", "gave no JSON: result holds a function"),
        ("{a: Symbol('s')}", 'gave no JSON: result holds a symbol at "a"'),
        ("new Map([[1, 2]])", "gave no JSON: result holds a Map"),
        ("{a: new Set([1])}", 'gave no JSON: result holds a Set at "a"'),
        ("Promise.resolve(1)", "gave no JSON: result holds a Promise"),
        ("new Uint8Array(2)", "gave no JSON: result holds a Uint8Array"),
        ("/x/", "gave no JSON: result holds a RegExp"),
        ("new Error('x')", "gave no JSON: result holds a Error"),
        ("'\\ud800'", "cannot be run: a value that it sees or gives is no JSON: half a surr"),
    ],
)
async def test_what_json_would_lose_is_refused(js: Runner, expression: str, said: str) -> None:
    assert (await js.failure(f"result = {expression}")).startswith(said)


async def test_a_result_that_holds_itself_is_refused(js: Runner) -> None:
    said = await js.failure("result = {}; result.me = result")
    assert said == "gave no JSON: Converting circular structure to JSON"


async def test_a_huge_result_is_refused(js: Runner) -> None:
    said = await js.failure("result = 'x'.repeat(17 * 1024 * 1024)")
    assert said == "gave no JSON: result is larger than 16 MiB"


# --- what the script sees -----------------------------------------------------------------


async def test_the_context_holds_inputs_earlier_outputs_and_with(tmp_path: Path) -> None:
    files = {"one.js": "result = {n: context.count + 1}", "two.js": "result = context"}
    steps = [
        script("one.js", "first"),
        script(
            "two.js", "second", **{"with": {"text": "n={{first.n}}", "raw": "{{first}}", "k": 3}}
        ),
    ]
    inputs = [any_input("count", "integer"), any_input("left", required=False)]
    file = scripts(tmp_path, files, steps, inputs=inputs)
    assert (await file.value({"count": 1}))["value"] == {
        "count": 1,
        "first": {"n": 2},
        "text": "n=2",
        "raw": {"n": 2},
        "k": 3,
    }


async def test_of_one_name_with_counts_over_steps_and_steps_over_inputs(tmp_path: Path) -> None:
    files = {"step.js": "result = 'step'", "see.js": "result = context"}
    steps = [
        script("step.js", "a"),
        script("step.js", "b"),
        script("see.js", "c", **{"with": {"b": "with"}}),
    ]
    inputs = [any_input("a"), any_input("b"), any_input("d")]
    file = scripts(tmp_path, files, steps, inputs=inputs)
    value = (await file.value({"a": "input", "b": "input", "d": "input"}))["value"]
    assert value == {"a": "step", "b": "with", "d": "input"}


async def test_what_with_refers_to_and_nobody_gives_is_null(tmp_path: Path) -> None:
    step = script("a.js") | {"with": {"x": "{{left}}"}}
    inputs = [any_input("left", required=False)]
    file = scripts(tmp_path, {"a.js": "result = context"}, [step], inputs=inputs)
    assert await file.value() == {"value": {"x": None}}


async def test_dependencies_run_first_in_order_and_share_what_they_define(js: Runner) -> None:
    files = {
        "lib/one.js": "const base = 10; function add(n) { return base + n }",
        "two.js": "'use strict'; let twice = (n) => 2 * add(n); class Box { v = twice(1) }",
    }
    step = {"dependencies": ["lib/one.js", "two.js"]}
    assert await js.value("result = [twice(5), new Box().v]", files=files, step=step) == [30, 22]


async def test_nothing_is_left_from_one_run_to_the_next(js: Runner) -> None:
    leave = """
        globalThis.left = 1; Array.prototype.left = 1; Object.prototype.left = 1;
        JSON.stringify = () => '"mine"'; JSON.parse = () => ({}); result = 0
    """
    await js.value(leave)
    look = "result = [typeof left, [].left === undefined, ({}).left === undefined, context.x]"
    assert await js.value(look, {"x": "seen"}) == ["undefined", True, True, "seen"]


@pytest.mark.parametrize("name", ["__proto__", "constructor", "toString", "hasOwnProperty"])
async def test_a11_names_of_prototypes_are_data(js: Runner, name: str) -> None:
    inputs = {"data": {name: {"x": 1}}}
    text = f"result = [Object.keys(context.data), context.data[{json.dumps(name)}], ({{}}).x]"
    assert await js.value(text, inputs) == [[name], {"x": 1}, None]


async def test_a4_values_are_data_whatever_is_in_them(js: Runner) -> None:
    text = '"); result = "broken out"; (" \u2028 ${x} </script> \\ \n {{x}}'
    assert await js.value("result = context.x", {"x": text}) == text


# --- failures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("\n\nnull.x", "failed at line 3: TypeError: Cannot read properties of null (reading 'x')"),
        ("throw new Error('no such ship')", "failed at line 1: Error: no such ship"),
        ("throw new Error('one\\ntwo')", "failed at line 1: Error: one"),
        ("throw 'text'", "failed at line 1: text"),
        ("result = nothing", "failed at line 1: ReferenceError: nothing is not defined"),
        ("let a = 1\nlet a = 2", "failed at line 2: SyntaxError: Identifier 'a' has already"),
        ("const f = () => {\n  throw new Error('x')\n}\n\nf()", "failed at line 2: Error: x"),
        ("result = {toJSON() {\n throw new Error('x') }}", "failed at line 2: Error: x"),
        ("if (true) // why\n  null.x // because\nelse y()", "failed at line 2: TypeError"),
        ("function f() { return f() }\nf()", "failed at line 1: RangeError: Maximum call stack"),
    ],
)
async def test_an_error_names_the_line_and_says_what_was_wrong(
    js: Runner, text: str, said: str
) -> None:
    assert (await js.failure(text)).startswith(said)


async def test_an_error_in_a_dependency_names_its_file(js: Runner) -> None:
    files = {"lib/b.js": "\nfunction f(x) { return x.y.z }"}
    said = await js.failure("f({})", files=files, step={"dependencies": ["lib/b.js"]})
    assert said.startswith('failed in "lib/b.js" at line 2: TypeError')


async def test_a_long_message_is_cut_and_has_no_control_characters(js: Runner) -> None:
    said = await js.failure("throw new Error('\\u001b[31m' + 'x'.repeat(5000))")
    assert len(said) < 350
    assert "\x1b" not in said


async def test_r7_a_secret_that_a_script_is_given_is_not_shown(js: Runner) -> None:
    said = await js.failure(
        "throw new Error('the key is ' + context.key)",
        step={"with": {"key": "{{API_KEY}}"}},
        binds=[{"namespace": "env", "keys": {"API_KEY": "API_KEY"}}],
        variables={"API_KEY": "canary-7f3a"},
    )
    assert said == "failed at line 1: Error: the key is ***"


async def test_a_script_that_fails_leaves_the_next_one_alone(js: Runner) -> None:
    await js.failure("throw 1")
    assert await js.value("result = 1") == 1


# --- no way out ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    "require process module exports global window self fetch XMLHttpRequest WebSocket Worker "
    "importScripts Deno Bun Java Polyglot load read readFile os std setTimeout setInterval "
    "WebAssembly SharedArrayBuffer Atomics".split(),
)
async def test_nothing_that_leads_outside_is_there(js: Runner, name: str) -> None:
    text = f"""
        const seen = [typeof {name}, typeof globalThis.{name}];
        result = seen.every((kind) => kind === 'undefined')
    """
    assert await js.value(text) is True


@pytest.mark.parametrize(
    "expression",
    [
        "eval('1')",
        "(0, eval)('1')",
        "new Function('return 1')()",
        "(() => 1).constructor('return 1')()",
        "(function* () {}).constructor('yield 1')()",
        "(async () => 1).constructor('return 1')()",
        "Reflect.construct(Function, ['return 1'])()",
        "[].map.constructor('return this')()",
    ],
)
async def test_code_is_not_made_of_text(js: Runner, expression: str) -> None:
    said = await js.failure(f"result = {expression}")
    assert said.startswith("failed at line 1: EvalError: Code generation from strings disallowed")


async def test_modules_are_not_imported(js: Runner) -> None:
    text = """
        globalThis.seen = [];
        for (const name of ['fs', 'node:fs', '/etc/passwd', 'file:///etc/passwd', './main.js']) {
          import(name).then(() => seen.push(name), () => seen.push('refused'));
        }
    """
    files = {"look.js": text}
    step = {"dependencies": ["look.js"]}
    value = await js.value("result = seen", files=files, step=step)
    assert value == ["refused"] * 5


async def test_what_the_runtime_counts_with_cannot_be_replaced(js: Runner) -> None:
    text = """
        const name = '_naftiko' + '_count';
        try { globalThis[name] = () => {} } catch {}
        Object.defineProperty(globalThis, name, {value: () => {}});
        for (;;) {}
    """
    assert "executed more than 100000 statements" in await js.failure(text)


async def test_prototypes_of_the_script_do_not_reach_what_is_made_of_its_result(
    js: Runner,
) -> None:
    text = """
        Object.prototype.toJSON = function () { return 'mine' };
        Object.prototype.toString = () => '[object Object]';
        Array.prototype.includes = () => true;
        String.prototype.slice = () => 'x';
        Function.prototype.call = () => 1;
        RegExp.prototype.exec = () => null;
        JSON.stringify = JSON.rawJSON = () => { throw 1 };
        result = [1]
    """
    assert await js.value(text) == "mine"


async def test_what_json_would_lose_is_refused_whatever_the_script_replaced(js: Runner) -> None:
    text = """
        Array.prototype.includes = () => true;
        String.prototype.slice = String.prototype.replace = () => 'mine';
        globalThis.String = globalThis.TypeError = () => 'mine';
        Object.prototype['[object Map]'] = true;
        result = {big: 2n ** 64n, map: new Map([[1, 2]])}
    """
    assert await js.failure(text) == 'gave no JSON: result holds a Map at "map"'
    kept = text.replace("map: new Map([[1, 2]])", "")
    assert await js.value(kept) == {"big": 2**64}


async def test_print_and_console_go_nowhere(js: Runner, capfd: pytest.CaptureFixture[str]) -> None:
    text = "print('x'); for (let i = 0; i < 1000; i++) console.log('y'.repeat(1000)); result = 1"
    assert await js.value(text) == 1
    assert capfd.readouterr() == ("", "")


async def test_the_clock_of_scripts_is_utc(js: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    assert await js.value("result = new Date(2026, 6, 1).getTimezoneOffset()") == 0


@pytest.mark.parametrize(
    "text",
    [
        "result = [1, 2, 3].at(-1) + Object.groupBy([1], String)[1][0]",
        "result = structured(4); function structured(n) { return n }",
        "result = 'aXb'.replaceAll('X', '').length + Number(2n ** 1n)",
        "class A { #x = 4; static has(o) { return #x in o } get x() { return this.#x } }\n"
        "result = A.has(new A()) && new A().x",
        "let i = 0\nouter: for (;;) { for (;;) { if (++i > 3) break outer; continue outer } }\n"
        "result = i",
        "let x = 0\ndo x++\nwhile (x < 4)\nresult = x",
        "let n = 0\nfor (const v of [1, 3]) n += v // sum\nresult = n",
        "let n = 4\nif (!n) n = 1 // never\nelse if (n > 9) n = 2 // nor this\nresult = n",
        "switch (4) { case 1: result = 1; break; case 4: result = 4; break; default: result = 0 }",
        "result = (() => { try { return 4 } catch { return 1 } finally { } })()",
        "function* g() { yield 1; yield 3 }\nresult = [...g()].reduce((a, b) => a + b)",
        "#!/usr/bin/env node\nresult = 4",
        "result = ((a, {b = 2, ...c} = {}) => a + b + (c.d ?? 1))(1)",
        "var f = function () { 'use strict'; return this === undefined ? 4 : 0 }\nresult = f()",
        "result = `${[1, 3].map((n) => `${n}`).join('')}`.length * 2",
        "label: { result = 4; break label; result = 5 }",
        "result = 4 // the last line",
        "with ({a: 4}) result = a",
    ],
)
async def test_counting_changes_nothing_of_what_a_script_means(js: Runner, text: str) -> None:
    assert await js.value(text) == 4
