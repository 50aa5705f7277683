"""A skill's folder as one zip archive: the same bytes for the same files."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Final

from naftiko_runtime.exposes.folder import FileRefused, list_folder, read_folder_file

LARGEST_ARCHIVE: Final = 32 * 1024 * 1024
"""Bytes of all files together before they are compressed; the archive is made in memory."""

_MOMENT: Final = (1980, 1, 1, 0, 0, 0)
"""The time of every entry, the earliest that the format can say."""
_REGULAR_FILE: Final = 0o100644 << 16


class ArchiveTooLarge(Exception):
    """The files of a folder are more than LARGEST_ARCHIVE."""


def build_archive(folder: Path) -> bytes:
    """All files of a folder that are listed, in the order of their paths. Reads files: call it
    beside the event loop. Raises ArchiveTooLarge."""
    listing = list_folder(folder)
    if sum(file.size for file in listing.files) > LARGEST_ARCHIVE:
        raise ArchiveTooLarge
    written = 0
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in listing.files:
            try:
                content = read_folder_file(folder, file.path)
            except FileRefused:
                continue  # it went away, or became something else, since it was listed
            written += len(content)
            if written > LARGEST_ARCHIVE:
                raise ArchiveTooLarge
            entry = zipfile.ZipInfo(file.path, _MOMENT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = _REGULAR_FILE
            archive.writestr(entry, content)
    return buffer.getvalue()
