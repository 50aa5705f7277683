"""What a client sees of a fault in the runtime: an id, under which the log has the reason."""

from __future__ import annotations

import logging
import secrets

_log = logging.getLogger("naftiko.mcp")


def log_incident() -> str:
    """Logs the exception at hand, and says where."""
    incident = secrets.token_hex(8)
    _log.exception("internal error %s", incident)
    return f'the call failed inside the runtime - its log has the reason under "{incident}"'
