"""Who is told of the operator's settings, at the start and whenever they or the files change."""

from __future__ import annotations

from typing import Protocol

from naftiko_runtime.problems import Problem
from naftiko_runtime.serving.collection import Collection


class SettingsListener(Protocol):
    """A part of a running process that works as the operator's settings say."""

    async def adopt(self, collection: Collection) -> list[Problem]:
        """Works by `collection.settings` from now on, for what `collection.plans` consume.

        Called before any port is opened, and before each new version of the files is served, so
        that no call is answered by new plans under old settings; one call at a time. Returns what
        stands in the way of something, and leaves in force what was before where it must. What it
        raises ends the start of the process, and leaves a running one as it was.
        """
        ...


class SettingsListeners:
    """The listeners of one process, in the order in which they are told."""

    def __init__(self, *listeners: SettingsListener) -> None:
        self._listeners = [*listeners]

    def add(self, listener: SettingsListener) -> None:
        """To be called before the first `tell`."""
        self._listeners.append(listener)

    async def tell(self, collection: Collection) -> list[Problem]:
        problems: list[Problem] = []
        for listener in self._listeners:
            problems += await listener.adopt(collection)
        return problems
