"""What every part of the model knows: where it stands in its file."""

from __future__ import annotations

from naftiko_runtime.lazy_dataclasses import dataclass
from naftiko_runtime.problems import DocumentPath, Place


@dataclass(frozen=True, slots=True)
class Node:
    """Where a part of the model stands in its file."""

    place: Place
    path: DocumentPath
