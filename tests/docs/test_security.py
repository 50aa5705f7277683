"""The limits in docs/security.md are those of the code."""

from __future__ import annotations

import re

from naftiko_runtime.consumes.pools import UpstreamSettings
from naftiko_runtime.document import yaml_faults
from naftiko_runtime.engine.scripts.protocol import LARGEST_RESULT, MEMORY
from naftiko_runtime.exposes.authentication.attempts import BURST, SECONDS_EACH
from naftiko_runtime.exposes.rest.given_values import read_query
from naftiko_runtime.exposes.rest.request_body import BODY_LIMIT
from naftiko_runtime.failures import CallFailed
from naftiko_runtime.json_codec import REQUEST_DEPTH
from naftiko_runtime.serving import guarded_protocol
from tests.docs.markdown import DOCS, ROOT, read_sections, table_rows

MIB = 2**20


def test_limits_are_those_of_the_code() -> None:
    section = next(s for s in read_sections(DOCS / "security.md") if s.title == "Limits")
    upstream, guard = UpstreamSettings(), guarded_protocol
    assert dict(table_rows(section.prose)) == {
        "request head": f"{guard.HEAD_BYTES // 1024} KiB, {guard.HEAD_COUNT} headers, "
        f"{guard.HEAD_SECONDS:g} s",
        "request body": f"{BODY_LIMIT // MIB} MiB, no slower than {guard.BODY_BYTES_PER_SECOND} "
        f"bytes/s over {guard.BODY_SECONDS:g} s",
        "nesting of request JSON": f"{REQUEST_DEPTH} levels",
        "parameters of a query": str(_most_parameters()),
        "wrong credentials from one address": f"{BURST}, then one more every {SECONDS_EACH:g} s",
        "answer of an upstream": f"{upstream.max_response_bytes // MIB} MiB, {_most_headers()} "
        f"headers, {upstream.timeout:g} s",
        "connecting to an upstream": f"{upstream.connect_timeout:g} s",
        "connections to one upstream": str(upstream.pool),
        "capability file": f"{yaml_faults.MAX_BYTES:,} bytes, {yaml_faults.MAX_NODES:,} values, "
        f"{yaml_faults.MAX_DEPTH} levels",
        "memory of a script": f"{MEMORY // MIB} MiB",
        "result of a script": f"{LARGEST_RESULT // MIB} MiB",
    }


def _most_headers() -> str:
    """How many headers an answer may have, wherever answers are read."""
    modules = (ROOT / "naftiko_runtime" / "consumes").rglob("*.py")
    found = [
        limit
        for module in modules
        for limit in re.findall(r"^MAX_HEADERS: Final = (\d+)$", module.read_text(), re.MULTILINE)
    ]
    assert len(set(found)) == 1
    return str(found[0])


def _most_parameters() -> int:
    """How many parameters a query may have before it is refused."""
    least, most = 1, 2**20
    while least < most:
        middle = (least + most + 1) // 2
        try:
            read_query(b"&".join([b"a=1"] * middle))
            least = middle
        except CallFailed:
            most = middle - 1
    return least
