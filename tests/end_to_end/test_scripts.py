"""Script steps in the real program, with files that change and callers who do not wait."""

from __future__ import annotations

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters

from tests.recording_upstream import RecordingUpstream, reply_json
from tests.script_files import any_input, document, script, write_files
from tests.sequences import Keys, call, mapping, operation
from tests.serving_process import ROOT, Serving, clean_environment, serve

PORTS = (8080, 9090, 7070)


def write(folder: Path, files: dict[str, str], steps: list[Keys], **parts: Any) -> Path:
    folder.mkdir(exist_ok=True)
    write_files(folder / "scripts", files)
    path = folder / "run.yaml"
    path.write_text(document(steps, **parts))
    return path


def replace(path: Path, text: str) -> None:
    """Gives a file its new text in one step: one that is emptied before it is written has changed
    twice, if somebody looks in between."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def run(serving: Serving, **inputs: Any) -> httpx2.Response:
    return httpx2.post(serving.rest() + "/run", json=inputs, timeout=30)


def value(serving: Serving, **inputs: Any) -> Any:
    response = run(serving, **inputs)
    assert response.status_code == 200, response.text
    return response.json()["value"]


def test_scripts_shape_what_upstreams_answer(tmp_path: Path, upstream: RecordingUpstream) -> None:
    files = {
        "lib/tonnage.js": "const heavy = (ship) => ship.tonnage > LIMIT",
        "heavy.js": "result = context['list-ships'].filter(heavy).map((ship) => ship.imo)",
        "report.py": (
            "ships = context['heavy']\n"
            "result = {'count': len(ships), 'text': ', '.join(ships), 'for': context['reader']}"
        ),
        "lib/limit.js": "const LIMIT = 1000",
    }
    steps = [
        call("list-ships"),
        script("heavy.js", "heavy", dependencies=["lib/limit.js", "lib/tonnage.js"]),
        script("report.py", "report", **{"with": {"reader": "Captain {{reader}}"}}),
        call("send"),
    ]
    send = operation("send", method="POST", body={"type": "json", "data": {"r": "{{report}}"}})
    path = write(
        tmp_path,
        files,
        steps,
        inputs=[any_input("reader")],
        operations=[operation("list-ships"), send],
        base_uri=upstream.url,
        mappings=[mapping("report", "$.report"), mapping("sent", "$.send.ok")],
    )
    ships = [{"imo": "A", "tonnage": 5000}, {"imo": "B", "tonnage": 10}]
    upstream.answers(reply_json(ships), reply_json({"ok": True}))
    report = {"count": 1, "text": "A", "for": "Captain Ahab"}
    with serve(path, ports=PORTS) as serving:
        response = run(serving, reader="Ahab")
    assert response.json() == {"report": report, "sent": True}
    assert [request.target for request in upstream.requests] == ["/list-ships", "/send"]
    assert upstream.requests[1].json() == {"r": report}


def test_a_failed_script_is_a_problem_that_names_step_file_and_line(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.js": "\n\nnull.x"}, [script("a.js", "pick")])
    with serve(path, ports=PORTS) as serving:
        response = run(serving)
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:naftiko:problem:script-failed",
        "title": "A script failed",
        "status": 500,
        "detail": 'step "pick": the script "a.js" failed at line 3: TypeError: Cannot read '
        "properties of null (reading 'x')",
        "step": "pick",
        "executed": False,
    }


def test_a_changed_script_takes_effect_and_a_broken_one_does_not(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.js": "result = 1", "b.py": "result = 1"}, [script("a.js")])
    with serve(path, ports=PORTS) as serving:
        assert value(serving) == 1
        replace(tmp_path / "scripts/a.js", "result = 2")
        serving.wait_for_event("changed")
        assert value(serving) == 2
        replace(tmp_path / "scripts/a.js", "result = = 3")
        serving.wait_for_log('the script \\\\?"a.js\\\\?" cannot be run: line 1')
        assert value(serving) == 2
        replace(tmp_path / "scripts/a.js", "result = 4")
        serving.wait_for_event("changed", 2)
        assert value(serving) == 4


def test_a_script_that_appears_later_brings_its_operation_into_service(tmp_path: Path) -> None:
    path = write(tmp_path, {}, [script("a.py")])
    (tmp_path / "scripts").mkdir(exist_ok=True)
    with serve(tmp_path, ports=PORTS) as serving:
        assert 'the script \\"a.py\\"' in serving.log
        replace(tmp_path / "scripts/a.py", "result = 'here'")
        serving.wait_for_event("changed")
        assert value(serving) == "here"
    assert path.exists()


@pytest.mark.parametrize("suffix", [".js", ".py"])
def test_an_endless_script_holds_up_nobody_else(tmp_path: Path, suffix: str) -> None:
    endless = {".js": "for (;;) ;", ".py": "while True:\n    pass"}[suffix]
    text = {
        ".js": f"if (context.n === 0) {{ {endless} }}\nresult = context.n",
        ".py": f"if context['n'] == 0:\n    {endless.replace(chr(10), chr(10) + '    ')}\n"
        "result = context['n']",
    }[suffix]
    path = write(
        tmp_path,
        {f"a{suffix}": text},
        [script(f"a{suffix}")],
        inputs=[any_input("n", "integer")],
        scripting={"timeout": 2000, "statementLimit": 10**12},
    )
    with serve(path, ports=PORTS) as serving, ThreadPoolExecutor(4) as threads:
        stuck = threads.submit(run, serving, n=0)
        assert [value(serving, n=n) for n in range(1, 6)] == [1, 2, 3, 4, 5]
        failed = stuck.result()
        assert failed.status_code == 500
        assert "it ran longer than 2 s" in failed.json()["detail"]


def test_stopping_does_not_wait_for_a_script_longer_than_for_any_call(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        {"a.js": "for (;;) ;"},
        [script("a.js")],
        scripting={"timeout": 600_000, "statementLimit": 10**12},
    )
    with (
        serve(path, options=["--grace=0.3"], ports=PORTS) as serving,
        ThreadPoolExecutor(1) as threads,
    ):
        stuck = threads.submit(run, serving)
        children = Path(f"/proc/{serving.process.pid}/task/{serving.process.pid}/children")
        while not (pids := children.read_text().split()):
            time.sleep(0.01)
        serving.process.send_signal(signal.SIGTERM)
        assert serving.stop() == 0
        with pytest.raises(httpx2.HTTPError):
            stuck.result().raise_for_status()
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)  # noqa: PTH110


def test_scripts_switched_off_leave_the_rest_in_service(
    tmp_path: Path, upstream: RecordingUpstream
) -> None:
    (tmp_path / "plain.yaml").write_text(
        document(
            [call("ping")],
            operations=[operation("ping")],
            base_uri=upstream.url,
            mappings=[mapping("value", "$.ping.method")],
        )
        .replace("/run", "/plain")
        .replace("run", "plain")
    )
    write(tmp_path, {"a.js": "result = 1"}, [script("a.js")])
    with serve(tmp_path, env={"NAFTIKO_SCRIPTING": "false"}, ports=PORTS) as serving:
        assert "scripts are switched off: the variable NAFTIKO_SCRIPTING is false" in serving.log
        assert run(serving).status_code == 404
        response = httpx2.post(serving.rest() + "/plain", json={}, timeout=60)
        assert response.json() == {"value": "GET"}


@pytest.mark.anyio
async def test_tools_over_standard_input_run_scripts_as_well(tmp_path: Path) -> None:
    files = {"a.js": "result = context.n * 2n", "b.py": "result = str(context['twice'])"}
    inputs = [any_input("n", "integer")]
    steps = [script("a.js", "twice"), script("b.py", "text")]
    path = write(tmp_path, files, steps, inputs=inputs)
    started = StdioServerParameters(
        command=sys.executable,
        args=["-m", "naftiko_runtime", "stdio", str(path)],
        env=clean_environment(),
        cwd=str(ROOT),
    )
    with anyio.fail_after(60):
        async with Client(started) as client:
            result = await client.call_tool("run", {"n": 2**60})
    assert not result.is_error
    assert result.structured_content == {"value": str(2**61)}


@pytest.mark.anyio
async def test_an_mcp_client_reads_why_a_script_failed(tmp_path: Path) -> None:
    path = write(tmp_path, {"a.py": "raise ValueError('no such ship')"}, [script("a.py", "pick")])
    with serve(path, ports=PORTS) as serving, anyio.fail_after(60):
        async with Client(serving.mcp()) as client:
            result = await client.call_tool("run", {})
    assert result.is_error
    assert 'step "pick": the script "a.py" failed at line 1: ValueError: no such ship' in str(
        result.content
    )
