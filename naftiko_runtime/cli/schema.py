"""Print the JSON Schema of capability files, for editors.

example:
  naftiko schema > naftiko.schema.json
and, at the top of a capability file, for editors with the YAML language server:
  # yaml-language-server: $schema=naftiko.schema.json
"""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """There is nothing to choose."""


def run(arguments: argparse.Namespace) -> int:
    from naftiko_runtime.document.schema_check import schema_text

    sys.stdout.write(schema_text())
    return 0
