"""docs/settings.md lists the settings that the schema knows, with their defaults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from naftiko_runtime.settings.reader import read_settings
from naftiko_runtime.settings.schema_check import settings_schema_text
from tests.docs.examples import Example, read_settings_examples
from tests.docs.markdown import DOCS, read_sections, table_rows
from tests.docs.stage import staged

SECTIONS = {section.title: section for section in read_sections(DOCS / "settings.md")}
EXAMPLES = read_settings_examples(DOCS / "settings.md")
SCHEMA = json.loads(settings_schema_text())
UPSTREAM, GUARD = SCHEMA["$defs"]["Upstream"], SCHEMA["$defs"]["Guard"]
APPROVALS, TOOLS = SCHEMA["$defs"]["Approvals"], SCHEMA["properties"]["tools"]
REST = {name: SCHEMA["properties"][name] for name in ("audit", "halt", "state")}


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    found: dict[str, Any] = SCHEMA["$defs"][reference.rpartition("/")[2]] if reference else {}
    return found | schema


def settings_of(properties: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Each setting, with its default as the page writes it."""
    for name, given in properties.items():
        schema = resolved(given)
        items = resolved(schema["items"]) if schema.get("type") == "array" else {}
        inner = schema.get("properties") or items.get("properties")
        if inner is None or schema.get("type") == ["boolean", "object"]:
            default = schema.get("default", "")
            shown = default if isinstance(default, str) else json.dumps(default).replace('"', "")
            yield f"{before}{name}", f"`{shown}`" if shown else ""
        if inner is not None:
            yield from settings_of(inner, f"{before}{name}.")


def rows_of(title: str) -> list[tuple[str, str]]:
    return [(row[0].strip("`"), row[1]) for row in table_rows(SECTIONS[title].prose)]


def test_every_setting_of_upstreams_is_listed_with_its_default() -> None:
    assert sorted(rows_of("Upstreams")) == sorted(settings_of(UPSTREAM["properties"]))


def test_every_setting_of_guards_is_listed_with_its_default() -> None:
    assert sorted(rows_of("Guards")) == sorted(settings_of(GUARD["properties"]))


def test_every_other_setting_is_listed_with_its_default() -> None:
    assert rows_of("Tools") == list(settings_of(TOOLS["properties"]))
    assert sorted(rows_of("Approvals")) == sorted(settings_of(APPROVALS["properties"]))
    assert rows_of("Audit, halt and state") == list(settings_of(REST))


def test_every_setting_has_a_section() -> None:
    sections = ["Upstreams", "Guards", "Tools", "Approvals", "Audit", "halt", "state"]
    assert [name.lower() for name in sections] == list(SCHEMA["properties"])


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.name for example in EXAMPLES])
def test_example_does_what_the_page_says(example: Example, tmp_path: Path) -> None:
    assert example.exchanges, f"{example.name} shows no call"
    with staged([example], tmp_path) as stage:
        assert stage.serving.events_of("settings")
        assert stage.serving.events_of("problem") == []
        for exchange in example.exchanges:
            try:
                stage.perform(example, exchange)
            except AssertionError as error:
                raise AssertionError(f"{example.where(exchange.call)}: {error}") from None


def test_settings_at_the_top_of_the_page_are_sound() -> None:
    text = SECTIONS["Settings"].fences[0].text
    assert read_settings(Path("/runtime.yaml"), text.encode(), {}).problems == ()
