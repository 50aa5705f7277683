"""The limits of scripts, whatever they do, and how scripts run beside other things."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.engine.scripts import stop_scripts
from naftiko_runtime.engine.scripts.workers import MOST
from naftiko_runtime.failures import Failure
from tests.engine.scripting import Runner, anyio_backend, processes

__all__ = ["anyio_backend", "processes"]

pytestmark = pytest.mark.anyio

FAST = {"timeout": 300}
LONG = {"timeout": 60_000}
SUFFIXES = [".js", ".py"]
ENDLESS = {".js": "while (true) ;", ".py": "while True:\n    pass"}
NATIVE_LOOP = {
    ".js": "/(a+)+$/.test('a'.repeat(50) + 'b')",
    ".py": "result = sum(range(10**15))",
}
ONE = {".js": "result = 1", ".py": "result = 1"}


@pytest.fixture(params=SUFFIXES)
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> Runner:
    return Runner(tmp_path, request.param)


def children() -> set[int]:
    """The processes that this one has started, and theirs, without what starts served files for
    other tests."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    )
    lines = [line for line in listed.stdout.splitlines() if "tests.warm_start" not in line]
    rows = [line.split(maxsplit=3)[:3] for line in lines]
    found: set[int] = set()
    wanted = {os.getpid()}
    while wanted:
        inner = {
            int(pid) for pid, parent, state in rows if int(parent) in wanted and "Z" not in state
        }
        wanted = inner - found
        found |= inner
    return {pid for pid in found if "ps" not in command_of(pid)}


def command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0].rpartition("/")[2]
    except OSError:
        return "ps"


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


# --- statements ---------------------------------------------------------------------------

JS_ENDLESS = [
    "while (true) ;",
    "while (true) {}",
    "for (;;) ;",
    "do ; while (true)",
    "for (const x of (function* () { while (true) yield 1 })()) ;",
    "const f = () => { f2() }; const f2 = () => { try { f() } catch { f() } }; f()",
    "while (true) { try { throw 1 } catch {} }",
    "while (true) { try { for (;;) ; } catch (e) { continue } finally { continue } }",
    "label: while (true) { try { for (;;) ; } finally { continue label } }",
    "function f() { try { for (;;) ; } finally { f() } }\nf()",
    "(async function f() { for (;;) await null })(); for (;;) ;",
    "result = {toJSON() { for (;;) ; }}",
    "class A { static { for (;;) ; } }",
    "let i = 0\nswitch (1) { case 1: for (;;) i++ }",
]
PY_ENDLESS = [
    "while True: pass",
    "while True:\n    try:\n        1 / 0\n    except Exception:\n        pass",
    "while True:\n    try:\n        while True: pass\n    except Exception:\n        continue\n"
    "    finally:\n        x = 1",
    "def f():\n    try:\n        while True: pass\n    except Exception:\n        f()\nf()",
    "import itertools\nfor i in itertools.count(): pass",
    "def f(n):\n    for i in range(10**9): n += 1\nlist(map(f, [1, 2]))",
]


@pytest.mark.parametrize("text", JS_ENDLESS)
async def test_javascript_that_goes_on_without_end_is_stopped_by_its_statements(
    tmp_path: Path, text: str
) -> None:
    said = await Runner(tmp_path, ".js").failure(text)
    assert "executed more than 100000 statements - management.scripting.statementLimit" in said
    assert said.startswith("was stopped at line ")


@pytest.mark.parametrize("text", PY_ENDLESS)
async def test_python_that_goes_on_without_end_is_stopped_by_its_statements(
    tmp_path: Path, text: str
) -> None:
    said = await Runner(tmp_path, ".py").failure(text)
    assert "executed more than 100000 statements - management.scripting.statementLimit" in said
    assert said.startswith("was stopped at line ")


@pytest.mark.parametrize(
    ("suffix", "text", "statements"),
    [
        (".js", "let n = 0\nfor (const x of [1, 2, 3]) n += x\nresult = n", 6),
        (".js", "function f() { return 1 }\nif (f()) result = 1\nelse result = 2", 4),
        (".py", "n = 0\nfor x in [1, 2, 3]:\n    n += x\nresult = n", 6),
        (".py", "def f():\n    return 1\nif f():\n    result = 1\nelse:\n    result = 2", 4),
    ],
)
async def test_each_executed_statement_counts_once(
    tmp_path: Path, suffix: str, text: str, statements: int
) -> None:
    runner = Runner(tmp_path, suffix)
    await runner.value(text, scripting={"statementLimit": statements})
    said = await runner.failure(text, scripting={"statementLimit": statements - 1})
    assert f"executed more than {statements - 1} statements" in said


@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_statements_of_dependencies_count_too(tmp_path: Path, suffix: str) -> None:
    files = {f"lib{suffix}": "a = 1\nb = 2\nc = 3\n"}
    parts: dict[str, Any] = {"files": files, "step": {"dependencies": [f"lib{suffix}"]}}
    runner = Runner(tmp_path, suffix)
    assert await runner.value("result = a + b + c", scripting={"statementLimit": 4}, **parts) == 6
    parts = {"files": files, "step": {"dependencies": [f"lib{suffix}"]}}
    said = await runner.failure("result = a", scripting={"statementLimit": 2}, **parts)
    assert said.startswith(f'was stopped in "lib{suffix}" at line 3: ')


# --- time ---------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("what", ["statements", "one operation"])
async def test_a_script_that_takes_too_long_is_stopped_for_sure(
    tmp_path: Path, suffix: str, what: str
) -> None:
    text = (ENDLESS if what == "statements" else NATIVE_LOOP)[suffix]
    runner = Runner(tmp_path, suffix)
    before = children()
    said = await runner.failure(text, scripting={**FAST, "statementLimit": 10**12})
    assert said == (
        "was stopped: it ran longer than 0.3 s - management.scripting.timeout of the control "
        "adapter sets the limit"
    )
    await until(lambda: children() <= before)
    assert await runner.value("result = 1") == 1


async def test_the_time_is_that_of_a_script_with_its_dependencies(tmp_path: Path) -> None:
    step = {"dependencies": ["lib.py"]}
    files = {"lib.py": NATIVE_LOOP[".py"]}
    said = await Runner(tmp_path, ".py").failure(
        "result = 1", scripting=FAST, files=files, step=step
    )
    assert said.startswith("was stopped: it ran longer than 0.3 s")


# --- memory -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".js", "const a = []\nwhile (true) a.push(new Array(1000).fill(a.length))"),
        (".js", "const a = []\nfor (let i = 0; ; i++) a.push('x'.repeat(1e6) + i, a.join(''))"),
        (
            ".js",
            "const m = new Map()\nconst f = (x, i) => m.set(i, [i])\nArray.from({length: 1e8}, f)",
        ),
        (".js", "result = 'x'.padEnd(2 ** 29 - 24, 'ab').split('').length"),
        (".py", "a = []\nwhile True:\n    a.append('x' * 1000)"),
        (".py", "a = [i for i in range(10**10)]"),
        (".py", "a = 'x' * 10**9"),
        (".py", "a = 10 ** (10**9)"),
        (".py", "a = [0] * 10**9"),
        (".py", "a = {}\nfor i in range(10**9):\n    a[i] = [i]"),
    ],
)
async def test_a_memory_bomb_ends_its_script_alone(tmp_path: Path, suffix: str, text: str) -> None:
    runner = Runner(tmp_path, suffix)
    said = await runner.failure(text, scripting={**LONG, "statementLimit": 10**9})
    assert "used up its memory (128 MiB)" in said or "Invalid string length" in said
    assert await runner.value("result = 1") == 1


async def test_memory_outside_the_heap_is_bounded_as_well(tmp_path: Path) -> None:
    text = "const a = []\nwhile (true) a.push(new Uint8Array(5e7).fill(1))"
    said = await Runner(tmp_path, ".js").failure(text)
    assert "Array buffer allocation failed" in said or "used up its memory" in said


async def test_the_process_of_javascript_is_left_with_nothing(tmp_path: Path) -> None:
    runner = Runner(tmp_path, ".js")
    await runner.value("result = 1")
    pids = [pid for pid in children() if "python" in command_of(pid)]
    assert pids
    for pid in pids:
        environment = Path(f"/proc/{pid}/environ").read_text().split("\0")
        assert [each for each in environment if each] == ["TZ=UTC"]
        assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
        limits = Path(f"/proc/{pid}/limits").read_text()
        assert "Max file size             0 " in limits


# --- beside other things ------------------------------------------------------------------


async def test_other_calls_go_on_while_a_script_runs(tmp_path: Path) -> None:
    endless = Runner(tmp_path, ".js").load(
        ENDLESS[".js"], scripting={**LONG, "statementLimit": 10**12}
    )
    task = asyncio.create_task(endless.run())
    for suffix in SUFFIXES:
        folder = tmp_path / suffix
        folder.mkdir()
        assert await Runner(folder, suffix).value("result = 1") == 1
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_many_calls_at_once_share_few_processes_and_mix_nothing_up(
    tmp_path: Path, suffix: str
) -> None:
    await stop_scripts()
    text = {".js": "result = 'for ' + context.n", ".py": "result = 'for ' + context['n']"}[suffix]
    file = Runner(tmp_path, suffix).load(text, {"n": ""})
    answers = await asyncio.gather(*(file.value({"n": str(n)}) for n in range(60)))
    assert answers == [{"value": f"for {n}"} for n in range(60)]
    pythons = [pid for pid in children() if "python" in command_of(pid)]
    assert 1 <= len(pythons) <= MOST


async def test_scripts_wait_for_a_free_process_no_longer_than_they_may_run(tmp_path: Path) -> None:
    await stop_scripts()
    slow = Runner(tmp_path / "slow", ".js")
    quick = Runner(tmp_path / "quick", ".js")
    for folder in ("slow", "quick"):
        (tmp_path / folder).mkdir()
    endless = slow.load(ENDLESS[".js"], scripting={"timeout": 3000, "statementLimit": 10**12})
    tasks = [asyncio.create_task(endless.run()) for _ in range(MOST)]
    await asyncio.sleep(0)
    said = await quick.failure("result = 1", scripting=FAST)
    assert said == "did not run: all of its processes were busy for 0.3 s"
    for outcome in await asyncio.gather(*tasks):
        assert isinstance(outcome, Failure)
    assert await quick.value("result = 1") == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_t13_a_call_that_is_given_up_ends_its_script(tmp_path: Path, suffix: str) -> None:
    await stop_scripts()
    before = children()
    runner = Runner(tmp_path, suffix)
    file = runner.load(ENDLESS[suffix], scripting={**LONG, "statementLimit": 10**12})
    task = asyncio.create_task(file.run())
    await until(lambda: children() > before)
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: children() <= before)
    assert await runner.value("result = 1") == 1


@pytest.mark.parametrize("suffix", SUFFIXES)
async def test_a_process_that_was_killed_is_replaced(tmp_path: Path, suffix: str) -> None:
    runner = Runner(tmp_path, suffix)
    await runner.value("result = 1")
    before = children()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    await until(lambda: not children() & before)
    await asyncio.sleep(0.05)
    assert await runner.value("result = 1") == 1


async def test_a_process_that_cannot_be_started_is_explained_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await stop_scripts()
    runner = Runner(tmp_path, ".js")
    (tmp_path / "py_mini_racer.py").write_text("raise ImportError('no V8 here')")
    with monkeypatch.context() as patched:
        file = runner.load("result = 1")
        patched.setattr(sys, "path", [str(tmp_path), *sys.path])
        failure = await file.failure()
        assert failure.detail.endswith(
            "did not run: its process cannot be started - the log of the runtime says why"
        )
        assert "scripts in javascript: ImportError: no V8 here" in caplog.text
        patched.setattr(sys, "executable", "/bin/false")
        await file.failure()
        assert "it gave no sign of life" in caplog.text
    assert await runner.value("result = 1") == 1


async def test_stopping_ends_all_processes(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        await Runner(tmp_path, suffix).value("result = 1")
    assert children()
    await stop_scripts()
    await until(lambda: not children())


async def test_a_process_whose_parent_is_gone_ends_by_itself(tmp_path: Path) -> None:
    program = f"""
import asyncio, os, sys
sys.path.insert(0, {str(Path(__file__).resolve().parents[2])!r})
from pathlib import Path
from typing import Any
from tests.engine.scripting import Runner
from tests.engine.test_scripts_limits import children

async def main():
    runner = Runner(Path({str(tmp_path)!r}), ".py")
    await runner.value("result = 1")
    print(*children(), flush=True)
    os.kill(os.getpid(), 9)

asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    process.wait(60)
    process.stdout.close()
    assert len(pids) == 2, "Python and Monty"
    await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))
