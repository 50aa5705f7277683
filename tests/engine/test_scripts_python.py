"""Python steps: what they see and give, how they fail, and that nothing leads out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine.scripting import Runner, anyio_backend, processes
from tests.script_files import any_input, script, scripts

__all__ = ["anyio_backend", "processes"]

pytestmark = pytest.mark.anyio


@pytest.fixture
def py(tmp_path: Path) -> Runner:
    return Runner(tmp_path, ".py")


# --- results ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "result = {'a': 1}",
        "result: dict[str, int] = {'a': 1}",
        "def f():\n    global result\n    result = {'a': 1}\nf()",
        "if True:\n    result = dict(a=1)",
        "for result in [{'a': 1}]:\n    pass",
        "(result := {'a': 1})",
    ],
)
async def test_result_is_the_output_however_it_is_assigned(py: Runner, text: str) -> None:
    assert await py.value(text) == {"a": 1}


async def test_a_script_without_a_result_stores_nothing_and_none_is_a_result(
    tmp_path: Path,
) -> None:
    files = {
        "none.py": "x = 1",
        "null.py": "result = None",
        "see.py": "result = sorted(context.keys())",
    }
    steps = [script("none.py", "none"), script("null.py", "null"), script("see.py", "see")]
    assert await scripts(tmp_path, files, steps).value() == {"value": ["null"]}


async def test_what_json_knows_is_given_as_it_is(py: Runner) -> None:
    text = """
from decimal import Decimal
result = {"text": "a\\u2028\\U0001F600\\"", "list": [1, (True, None)], "d": Decimal("1.50")}
"""
    assert await py.value(text) == {
        "text": 'a\u2028\U0001f600"',
        "list": [1, [True, None]],
        "d": 1.5,
    }


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("float('nan')", "gave no JSON: result holds nan"),
        ("{'a': [float('-inf')]}", "gave no JSON: result holds -inf"),
        ("lambda: 1", "gave no JSON: result holds a function, which is no JSON"),
        ("{1, 2}", "gave no JSON: result holds a set, which is no JSON"),
        ("{1: 2}", "gave no JSON: result holds the key 1, which is no text"),
        ("b'x'", "gave no JSON: result holds a bytes, which is no JSON"),
        ("range(3)", "gave no JSON: result holds a range, which is no JSON"),
        ("len", "gave no JSON: result holds a "),
        ("...", "gave no JSON: result holds a ellipsis, which is no JSON"),
        ("__import__", "failed at line 1: NameError"),
    ],
)
async def test_what_json_would_lose_is_refused(py: Runner, expression: str, said: str) -> None:
    assert (await py.failure(f"result = {expression}")).startswith(said)


async def test_an_object_of_a_class_is_no_result(py: Runner) -> None:
    said = await py.failure("class A:\n    x = 1\nresult = [A()]")
    assert said == "gave no JSON: result holds a A, which is no JSON"


async def test_a_decimal_that_is_no_number_is_refused(py: Runner) -> None:
    said = await py.failure("from decimal import Decimal\nresult = Decimal('NaN')")
    assert said.startswith("gave no JSON: ")


async def test_a_result_that_holds_itself_is_refused(py: Runner) -> None:
    said = await py.failure("result = []\nresult.append(result)")
    assert said == "gave no JSON: result is nested too deeply, or holds itself"


async def test_a_huge_result_is_refused(py: Runner) -> None:
    said = await py.failure("result = 'x' * (17 * 1024 * 1024)")
    assert said == "gave no JSON: result is larger than 16 MiB"


# --- what the script sees -----------------------------------------------------------------


async def test_the_context_holds_inputs_earlier_outputs_and_with(tmp_path: Path) -> None:
    files = {"one.py": "result = {'n': context['count'] + 1}", "two.py": "result = context"}
    steps = [
        script("one.py", "first"),
        script("two.py", "second", **{"with": {"text": "n={{first.n}}", "raw": "{{first}}"}}),
    ]
    file = scripts(tmp_path, files, steps, inputs=[any_input("count", "integer")])
    assert (await file.value({"count": 1}))["value"] == {
        "count": 1,
        "first": {"n": 2},
        "text": "n=2",
        "raw": {"n": 2},
    }


async def test_a_step_of_one_language_reads_what_one_of_the_other_gave(tmp_path: Path) -> None:
    files = {
        "one.js": "result = {big: 12345678901234567890n}",
        "two.py": "result = context['one']['big'] + 1",
    }
    file = scripts(tmp_path, files, [script("one.js", "one"), script("two.py", "two")])
    assert await file.value() == {"value": 12345678901234567891}


async def test_dependencies_run_first_in_order_and_share_what_they_define(py: Runner) -> None:
    files = {
        "lib/one.py": "BASE = 10\ndef add(n):\n    return BASE + n",
        "two.py": "import math\ntwice = lambda n: 2 * add(n)\nclass Box:\n    v = 4",
    }
    step = {"dependencies": ["lib/one.py", "two.py"]}
    text = "result = [twice(5), Box().v, math.floor(1.5)]"
    assert await py.value(text, files=files, step=step) == [30, 4, 1]


async def test_nothing_is_left_from_one_run_to_the_next(py: Runner) -> None:
    await py.value("left = 1\nlen = lambda x: 99\nimport math\nresult = 0")
    assert await py.value("result = len('ab')") == 2
    assert (await py.failure("result = left")).startswith("failed at line 1: NameError")
    assert (await py.failure("result = math")).startswith("failed at line 1: NameError")


# --- failures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# why\n\nresult = 1 / 0", "failed at line 3: ZeroDivisionError: division by zero"),
        ("raise ValueError('no such ship')", "failed at line 1: ValueError: no such ship"),
        (
            "def f():\n    '''Docs.'''\n    # here\n    return {}['x']\n\nf()",
            "failed at line 4: Key",
        ),
        ("assert False, 'not now'", "failed at line 1: AssertionError: not now"),
        ("result = (\n    nothing\n)", "failed at line 1: NameError: name 'nothing' is not"),
        ("def f():\n    return f()\nf()", "failed at line 2: RecursionError"),
        ("x = 1\nif x:\n    y = 2\nelif y:\n    pass\nresult = y.z", "failed at line 6: Attribute"),
    ],
)
async def test_an_error_names_the_line_and_says_what_was_wrong(
    py: Runner, text: str, said: str
) -> None:
    assert (await py.failure(text)).startswith(said)


async def test_an_error_in_a_dependency_names_its_file(py: Runner) -> None:
    files = {"lib/b.py": "\ndef f(x):\n    return x['y']"}
    said = await py.failure("f({})", files=files, step={"dependencies": ["lib/b.py"]})
    assert said.startswith('failed in "lib/b.py" at line 3: KeyError')


async def test_r7_a_secret_that_a_script_is_given_is_not_shown(py: Runner) -> None:
    said = await py.failure(
        "raise ValueError('the key is ' + context['key'])",
        step={"with": {"key": "{{API_KEY}}"}},
        binds=[{"namespace": "env", "keys": {"API_KEY": "API_KEY"}}],
        variables={"API_KEY": "canary-7f3a"},
    )
    assert said == "failed at line 1: ValueError: the key is ***"


# --- no way out ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "result = open('/etc/passwd').read()",
        "open('/tmp/naftiko-test', 'w').write('x')",
        "from pathlib import Path\nresult = Path('/etc/passwd').read_text()",
        "from pathlib import Path\nPath('/tmp').iterdir()",
        "import os\nresult = os.environ",
        "import os\nresult = os.getenv('PATH')",
        "import os\nresult = os.listdir('/')",
        "import os\nos.system('true')",
        "import os\nos.remove('/tmp/x')",
        "import os\nos.fork()",
        "import os\nresult = os.urandom(8)",
        "import sys\nsys.modules",
        "import sys\nsys._getframe()",
        "import sys\nsys.exit(1)",
        "__import__('os')",
        "breakpoint()",
        "input()",
        "help()",
        "compile('1', '', 'eval')",
        "globals()",
        "().__class__",
        "().__class__.__bases__[0].__subclasses__()",
        "(lambda: 0).__globals__",
        "(lambda: 0).__code__",
        "[].append.__self__",
        "getattr([], '__class__')",
        "'{0.__class__}'.format(1)",
        "type(1).__mro__",
        "raise SystemExit(1)",
        "exit()",
        "try:\n    1 / 0\nexcept Exception as e:\n    e.__traceback__.tb_frame",
    ],
)
async def test_nothing_that_leads_outside_is_there(py: Runner, text: str) -> None:
    assert (await py.failure(text)).startswith(("failed at line ", "failed: "))


@pytest.mark.parametrize("call", ["eval('1')", "exec('x = 1')"])
async def test_code_is_not_made_of_text(py: Runner, call: str) -> None:
    assert "does not run here: its statements could not be counted" in await py.failure(call)


async def test_print_goes_nowhere(py: Runner, capfd: pytest.CaptureFixture[str]) -> None:
    text = "for i in range(1000):\n    print('y' * 10000)\nresult = 1"
    assert await py.value(text) == 1
    assert capfd.readouterr() == ("", "")


async def test_sleeping_takes_no_time(py: Runner) -> None:
    assert await py.value("import time\ntime.sleep(10**6)\nresult = 1") == 1


async def test_the_clock_of_scripts_is_utc(py: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    text = "import datetime\nresult = str(datetime.datetime.now().astimezone().utcoffset())"
    assert await py.value(text) == "0:00:00"


@pytest.mark.parametrize(
    "text",
    [
        '"""Docs."""\nfrom __future__ import annotations\nresult = 4',
        "def f(a, /, b=1, *c, d, **e):\n    'doc'\n    return a + b + d\nresult = f(1, d=2)",
        "result = 0\nfor i in range(9):\n    if i == 2: continue\n    elif i > 3: break\n"
        "    else: result += i\nelse:\n    result = 9",
        "x = 0\nwhile x < 4: x += 1\nresult = x",
        "try:\n    1 / 0\nexcept (ValueError, ZeroDivisionError) as e: result = 4\nfinally: y = 1",
        "match {'a': [1, 3]}:\n    case {'a': [x, y]} if x: result = x + y\n    case _: result = 0",
        "class A:\n    '''Docs.'''\n    x = 1\n    def m(self, n):\n        return self.x + n\n"
        "result = A().m(3)",
        "result = len(f\"{1:>3}{'a'!r:.1}\")",
        "result = [y for x in [[1], [4]] for y in x if y > 1][0]; z = 1",
        "async def f():\n    return 4\nresult = await f()",
        "def f():\n    n = 3\n    def g():\n        nonlocal n\n        n += 1\n    g()\n"
        "    return n\nresult = f()",
        "a, *b = 1, 2, 2\nresult = sum(b)",
        "import json, re, math, datetime, collections, itertools, functools\n"
        "result = json.loads('4')",
        "result = 4;",
        "result = (1 +\n          3)",
        "assert (n := 4) == 4, 'no'\nresult = n",
    ],
)
async def test_counting_changes_nothing_of_what_a_script_means(py: Runner, text: str) -> None:
    assert await py.value(text) == 4


@pytest.mark.parametrize(
    "module",
    "json re math datetime decimal collections itertools functools random hashlib base64".split(),
)
async def test_the_modules_that_the_documentation_names_are_there(py: Runner, module: str) -> None:
    assert await py.value(f"import {module}\nresult = 1") == 1


async def test_the_context_is_a_dictionary(py: Runner) -> None:
    assert await py.value('result = context["a"]', {"a": 7}) == 7
    assert "has no attribute 'a'" in await py.failure("result = context.a", {"a": 7})
