"""The skill catalogues of the tutorial's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.served_files import served

FILES = ("step-8-shipyard-skill-groups", "step-10-shipyard-rest-adapter")


@pytest.mark.parametrize("name", FILES)
def test_every_tool_of_every_skill_leads_to_what_the_file_serves(shared: Path, name: str) -> None:
    path = shared / "reference" / "tutorial" / f"{name}.yml"
    if not path.exists():
        pytest.skip("there is no tutorial beside this repository")
    with served(path) as files:
        plan = files.loaded[0].plan
        assert plan is not None
        assert files.errors == []
        port = plan.skills[0].port
        served_here = {(a.namespace, t.name, "mcp") for a in plan.mcp for t in a.tools}
        served_here |= {(a.namespace, o.name, "rest") for a in plan.rest for o in a.operations}
        catalogue = files.call("GET", "/skills", port=port).json()
        names = [skill["name"] for skill in catalogue["skills"]]
        assert names == ["fleet-ops", "voyage-ops"]
        assert catalogue["count"] == 2
        for skill in catalogue["skills"]:
            detail = files.call("GET", f"/skills/{skill['name']}", port=port).json()
            assert [tool["name"] for tool in detail["tools"]] == skill["tools"]
            for tool in detail["tools"]:
                assert tool["type"] == "derived"
                where = tool["invocationRef"]
                assert (where["targetNamespace"], where["action"], where["mode"]) in served_here
