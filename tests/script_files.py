"""Capabilities whose steps are scripts, in folders of their own.

file = scripts(tmp_path, {"double.js": "result = context.n * 2"}, [script("double.js")])
assert await file.value({"n": 2}) == 4
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from naftiko_runtime.plan.load import load_file
from tests.loaded_calls import BASE
from tests.sequences import Keys, LoadedSequence

LOCATION = "file:///./scripts"


def script(file: str, name: str = "script", **keys: Any) -> Keys:
    """A script step; its folder is `scripts` beside the capability file where none is given."""
    step = {"name": name, "type": "script", "file": file, "location": LOCATION, **keys}
    return {key: value for key, value in step.items() if value is not None}


def any_input(name: str, type_: str = "string", **keys: Any) -> Keys:
    return {"name": name, "type": type_, "description": f"The {name}.", **keys}


def document(
    steps: Sequence[Keys],
    *,
    inputs: Sequence[Keys] = (),
    mappings: Sequence[Keys] | None = None,
    scripting: Keys | None = None,
    operations: Sequence[Keys] = (),
    base_uri: str = BASE,
    method: str = "POST",
    binds: Sequence[Keys] = (),
) -> str:
    """A file whose route `/run` and tool `run` do these steps. Unless `mappings` say otherwise,
    the answer is the output of the last step."""
    if mappings is None:
        mappings = [{"targetName": "value", "value": f"$.{steps[-1]['name']}"}]
    behaviour: Keys = {"name": "run", "steps": list(steps)}
    if mappings:
        behaviour["mappings"] = list(mappings)
    tool = {**behaviour, "description": "Runs it."}
    route = {**behaviour, "method": method}
    if inputs:
        tool["inputParameters"] = [dict(each) for each in inputs]
        route["inputParameters"] = [
            {"in": "body"} | {key: value for key, value in each.items() if key != "required"}
            for each in inputs
        ]
    capability: Keys = {
        "exposes": [
            {"type": "rest", "namespace": "run-rest", "port": 8080}
            | {"resources": [{"path": "/run", "operations": [route]}]},
            {"type": "mcp", "namespace": "run-mcp", "port": 9090, "tools": [tool]},
        ]
    }
    if scripting is not None:
        control = {"type": "control", "port": 7070, "management": {"scripting": scripting}}
        capability["exposes"].append(control)
    if operations:
        resources = [
            {"name": each["name"], "path": each["path"]}
            | {"operations": [{k: v for k, v in each.items() if k != "path"}]}
            for each in operations
        ]
        consumed = {"type": "http", "namespace": "up", "baseUri": base_uri, "resources": resources}
        capability["consumes"] = [consumed]
    top: Keys = {"naftiko": "1.0.0-alpha2", "capability": capability}
    if binds:
        top["binds"] = list(binds)
    return yaml.safe_dump(top, sort_keys=False)


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def scripts(
    folder: Path,
    files: Mapping[str, str],
    steps: Sequence[Keys],
    *,
    variables: Mapping[str, str] | None = None,
    **parts: Any,
) -> LoadedSequence:
    """Writes the scripts and the capability, and loads it."""
    write_files(folder / "scripts", files)
    path = folder / "run.yaml"
    path.write_text(document(steps, **parts), encoding="utf-8")
    return LoadedSequence(load_file(path, variables or {}, {}))
