"""Print the JSON Schema of capability files, or of runtime.yaml, for editors.

example:
  naftiko schema > naftiko.schema.json
and, at the top of a capability file, for editors with the YAML language server:
  # yaml-language-server: $schema=naftiko.schema.json
"""

from __future__ import annotations

import argparse
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--settings",
        action="store_true",
        help="print that of the operator's settings, runtime.yaml",
    )


def run(arguments: argparse.Namespace) -> int:
    from naftiko_runtime.document.schema_check import schema_text
    from naftiko_runtime.settings.schema_check import settings_schema_text

    sys.stdout.write(settings_schema_text() if arguments.settings else schema_text())
    return 0
