"""Authentication of callers: what every adapter asks before it answers.

An adapter knows its Door (what its callers have to pass), describes a request as a Caller, and
asks the process's Gatekeeper, who answers with an Admission or a Refusal. A scheme is one module
here and one entry in `registry`. Importing the package imports no cryptography and opens nothing.
"""

from naftiko_runtime.exposes.authentication.caller import Caller, caller_of
from naftiko_runtime.exposes.authentication.gatekeeper import (
    ANYBODY,
    OPEN,
    Admission,
    Door,
    Gatekeeper,
    Refusal,
    door_of,
)
from naftiko_runtime.exposes.authentication.resource_metadata import metadata_pages

__all__ = [
    "ANYBODY",
    "OPEN",
    "Admission",
    "Caller",
    "Door",
    "Gatekeeper",
    "Refusal",
    "caller_of",
    "door_of",
    "metadata_pages",
]
