"""docs/errors.md explains every problem and every failure there is, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from naftiko_runtime.failures import FailureKind
from tests.docs.markdown import DOCS, Section, read_sections
from tests.docs.problem_rules import rules_in_code
from tests.docs.problem_samples import SAMPLES, problems_of

SECTIONS = read_sections(DOCS / "errors.md")
RULES = {section.title: section for section in SECTIONS if section.level == 4}
UNREPRODUCED = {
    "internal-error",
    "port-unavailable",
    "settings-gone",
    "tool-unlistable",
    "unreadable-file",
}
"""Rules that no file can be made to break at will."""


def failure_sections() -> list[Section]:
    start = next(i for i, each in enumerate(SECTIONS) if each.title == "Failures of calls")
    end = next(i for i, each in enumerate(SECTIONS) if each.title == "Problems of files")
    return SECTIONS[start + 1 : end]


def test_every_rule_of_the_code_has_an_entry() -> None:
    missing = {rule: place for rule, place in rules_in_code().items() if rule not in RULES}
    assert missing == {}


def test_every_entry_is_a_rule_of_the_code() -> None:
    assert [rule for rule in RULES if rule not in rules_in_code()] == []


def test_rules_are_named_once() -> None:
    assert len(RULES) == sum(section.level == 4 for section in SECTIONS)


@pytest.mark.parametrize("rule", RULES)
def test_entry_says_what_a_rule_means_shows_it_and_how_to_mend_it(rule: str) -> None:
    paragraphs = re.split(r"\n\n+", "\n".join(RULES[rule].prose).strip())
    assert len(paragraphs) >= 2
    assert len(RULES[rule].fences) == 1


@pytest.mark.parametrize("rule", sorted(set(RULES) - UNREPRODUCED))
def test_example_message_is_what_the_runtime_says(
    rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SHOP_TOKEN", raising=False)
    said = [str(problem) for problem in problems_of(SAMPLES[rule], Path()) if problem.rule == rule]
    assert RULES[rule].fences[0].text.strip() in said


def test_every_failure_has_an_entry_with_its_status() -> None:
    entries = {section.title for section in failure_sections()}
    assert entries == {f"{kind.slug} ({kind.status})" for kind in FailureKind}


@pytest.mark.parametrize("section", failure_sections(), ids=lambda section: section.title)
def test_entry_of_a_failure_says_something(section: Section) -> None:
    assert len(" ".join(section.prose).split()) > 5


def test_every_anchor_in_the_code_leads_to_an_entry() -> None:
    named = {
        match
        for path in (DOCS.parent / "naftiko_runtime").rglob("*.py")
        for match in re.findall(r"docs/(\w+\.md)", path.read_text(encoding="utf-8"))
    }
    assert all((DOCS / name).is_file() for name in named)
