"""Imports of consumed APIs from other files (ImportedConsumesHttp: `import`, `location`, `as`)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from naftiko_runtime.document.consumes_reader import renamed
from naftiko_runtime.document.dialects import NameScope
from naftiko_runtime.document.element import Element
from naftiko_runtime.document.model import Bind, Consumes

_LIMIT = 5 * 1024 * 1024

Upstreams: TypeAlias = tuple[dict[str, Consumes], list[Bind]]


def is_import(element: Element) -> bool:
    return "import" in element.values


class Importer:
    """Resolves the imports of one capability file and remembers the files it read.

    `read` turns a file's content into its upstreams and binds; it is handed the importer of that
    file, so that imports may lead further, and raises ValueError when the file is not usable.
    `scope` is what names mean in this file: what it imports may name its variables, as such a
    file often declares none of its own.
    """

    def __init__(
        self,
        file: Path,
        read: Callable[[Path, bytes, Importer], Upstreams],
        scope: NameScope,
        chain: tuple[Path, ...] = (),
    ) -> None:
        self._file = file
        self._read = read
        self.scope = scope
        self._chain = (*chain, file.absolute())
        self._known: dict[Path, Upstreams] = {}
        self.files: list[Path] = []

    def resolve(self, element: Element, binds: list[Bind]) -> Consumes | None:
        """The imported upstream under its new name, None (and a problem) when there is none.

        The variables that the other file binds come along where the importing one has none of
        that name: an upstream's credentials belong to it.
        """
        name, location = element.text("import"), element.text("location")
        try:
            path = self._path_of(location)
            upstreams, their_binds = self._load(path)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            self._refuse(element, f'cannot import "{name}" from "{location}": {reason}')
            return None
        found = upstreams.get(name)
        if found is None:
            known = ", ".join(f'"{known}"' for known in upstreams) or "nothing"
            self._refuse(element, f'"{location}" consumes no "{name}" (it has {known})')
            return None
        known_variables = {bind.variable for bind in binds}
        binds.extend(bind for bind in their_binds if bind.variable not in known_variables)
        alias = element.optional_text("as")
        return found if alias is None else renamed(found, alias)

    def _path_of(self, location: str) -> Path:
        """A plain path or a `file:` URI, relative to the importing file. Raises ValueError."""
        scheme = urlsplit(location).scheme
        if scheme not in ("", "file"):
            raise ValueError(f"{scheme} locations are not read, only files are")
        if scheme == "file":
            parts = urlsplit(location)
            location = unquote(parts.netloc + parts.path)
            location = location[1:] if location.startswith("/./") else location
        return (self._file.parent / location).absolute()

    def _load(self, path: Path) -> Upstreams:
        resolved = path.resolve()
        if resolved in (known.resolve() for known in self._chain):
            chain = " -> ".join(known.name for known in (*self._chain, path))
            raise ValueError(f"the files import each other: {chain}")
        if path not in self._known:
            self.files.append(path)
            if not path.is_file():
                raise ValueError("there is no such file")
            if path.stat().st_size > _LIMIT:
                raise ValueError("the file is larger than 5 MiB")
            inner = Importer(path, self._read, self.scope, self._chain)
            self._known[path] = self._read(path, path.read_bytes(), inner)
            self.files.extend(inner.files)
        return self._known[path]

    def _refuse(self, element: Element, message: str) -> None:
        element.reading.refuse(
            "import",
            (*element.path, "import"),
            message,
            "locations are relative to the importing file",
        )
