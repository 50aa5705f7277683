"""The endpoints of the skill catalogue.

Skills are told of, not run: their tools are called where the other adapters serve them. Files are
read when they are asked for, and from the skill's folder alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

from anyio.to_thread import run_sync

from naftiko_runtime.exposes.authentication import Admission, Door, Gatekeeper, Refusal
from naftiko_runtime.exposes.endpoints import Handler, Request, content_reply, json_reply
from naftiko_runtime.exposes.folder import FileRefused, list_folder, read_folder_file
from naftiko_runtime.exposes.rest.problem_details import refusal_reply
from naftiko_runtime.exposes.rest.reply import INERT, Reply
from naftiko_runtime.exposes.skill.archive import LARGEST_ARCHIVE, ArchiveTooLarge, build_archive
from naftiko_runtime.exposes.skill.descriptions import (
    describe_files,
    describe_skill,
    describe_skills,
    media_type,
)
from naftiko_runtime.exposes.skill.table import ListedSkill, SkillTable
from naftiko_runtime.failures import FailureKind, fail
from naftiko_runtime.plan.adapters import SkillPlan

_Answer: TypeAlias = Callable[[SkillPlan, tuple[str, ...]], Awaitable[Reply]]
"""Answers for one skill; the second value are the segments that follow the endpoint's own."""


class SkillSite:
    """The Site of one listener's skills. Never changed: a reload makes another one."""

    __slots__ = ("_gatekeeper", "_table")

    def __init__(self, table: SkillTable, gatekeeper: Gatekeeper) -> None:
        self._table = table
        self._gatekeeper = gatekeeper

    @property
    def door(self) -> Door:
        return self._table.door

    def find(self, segments: tuple[str, ...]) -> Mapping[str, Handler] | None:
        match segments:
            case ("skills",) | ("skills", ""):
                return {"GET": self._list}
            case ("skills", name) | ("skills", name, ""):
                return {"GET": self._of_skill(name, _show)}
            case ("skills", name, "contents") | ("skills", name, "contents", ""):
                return {"GET": self._of_skill(name, _list_files)}
            case ("skills", name, "contents", *path):
                return {"GET": self._of_skill(name, _read_file, tuple(path))}
            case ("skills", name, "download"):
                return {"GET": self._of_skill(name, _download)}
        return None

    def unknown(self, path: str) -> str:
        return f'nothing is served at "{path}" - "/skills" lists the skills'

    async def _list(self, request: Request) -> Reply:
        seen = (skill.plan for skill in self._seen_by(request.admitted).values())
        return json_reply(describe_skills(seen))

    def _of_skill(self, name: str, answer: _Answer, path: tuple[str, ...] = ()) -> Handler:
        async def handle(request: Request) -> Reply:
            skill = self._table.skills.get(name)
            if skill is None:
                raise fail(FailureKind.UNKNOWN_PATH, self._no_skill(name, request.admitted))
            asked = skill.adapter.authentication
            if asked is not None and asked not in request.admitted.plans:
                verdict = await self._gatekeeper.admit_to(asked, request.caller)
                if isinstance(verdict, Refusal):
                    return refusal_reply(verdict)
            return await answer(skill.plan, path)

        return handle

    def _seen_by(self, admitted: Admission) -> Mapping[str, ListedSkill]:
        return {
            name: skill
            for name, skill in self._table.skills.items()
            if skill.adapter.authentication in (None, *admitted.plans)
        }

    def _no_skill(self, name: str, admitted: Admission) -> str:
        close = get_close_matches(name[:100], self._seen_by(admitted), 1)
        meant = f' - did you mean "{close[0]}"?' if close else ' - "/skills" lists what there is'
        return f'there is no skill "{name[:100]}"{meant}'


async def _show(plan: SkillPlan, path: tuple[str, ...]) -> Reply:
    return json_reply(describe_skill(plan))


async def _list_files(plan: SkillPlan, path: tuple[str, ...]) -> Reply:
    folder = _folder(plan)
    listing = await run_sync(list_folder, folder)
    return json_reply(describe_files(plan, listing.files))


async def _read_file(plan: SkillPlan, path: tuple[str, ...]) -> Reply:
    folder = _folder(plan)
    shown = "/".join(path)[:200]
    if any("/" in segment for segment in path):
        raise fail(FailureKind.UNKNOWN_PATH, f'"{shown}": a name of a file holds no slash')
    try:
        content = await run_sync(read_folder_file, folder, "/".join(path))
    except FileRefused as refused:
        detail = f'no file "{shown}" is served of the skill "{plan.name}": {refused}'
        raise fail(FailureKind.UNKNOWN_PATH, detail) from None
    return content_reply(content, media_type(path[-1]).encode("ascii"), *INERT)


async def _download(plan: SkillPlan, path: tuple[str, ...]) -> Reply:
    try:
        archive = await run_sync(build_archive, _folder(plan))
    except ArchiveTooLarge:
        detail = (
            f'the files of the skill "{plan.name}" are more than {LARGEST_ARCHIVE // 2**20} MiB, '
            f'the most for one archive - "/skills/{plan.name}/contents" gives them one by one'
        )
        raise fail(FailureKind.CONTENT_TOO_LARGE, detail) from None
    disposition = f'attachment; filename="{_file_name(plan.name)}.zip"'
    return content_reply(
        archive, b"application/zip", (b"content-disposition", disposition.encode()), *INERT
    )


def _folder(plan: SkillPlan) -> Path:
    if plan.folder is None:
        detail = f'the skill "{plan.name}" has no files: its file gives it no location'
        raise fail(FailureKind.UNKNOWN_PATH, detail)
    return plan.folder


def _file_name(name: str) -> str:
    """The name of a skill as it can stand in a header; names in files may hold anything."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)[:64]
