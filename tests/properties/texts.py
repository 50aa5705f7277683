"""Texts that break naive encoders, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

_PRINTABLE = (
    r"/ \ . .. ... %2e%2e %2E ..; ; %00 ? # @ : & = + % %25 { } {{ }} {{x}} {x} $.. $. ' < > &amp; "
    r"<!-- ]]> //evil.example http://evil.example/ @evil.example -0 1e400 null true __proto__ ../ "
    r"/.. ./ %2f \u0000 ` | ^ ~ é 日本 🙂"
).split()
_BLANKS = ['"', "\x00", "\n", "\r", "\r\n", "\t", " ", "\u2028", "\ufeff", "\u202e", "e\u0301"]
NASTY = st.sampled_from([*_PRINTABLE, *_BLANKS])

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
"""Any text that has a UTF-8 form."""

HOSTILE = st.lists(st.one_of(NASTY, TEXT), max_size=6).map("".join)
"""Text made of what attacks are made of."""

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=4)
    | HOSTILE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(HOSTILE, inner, max_size=3),
    max_leaves=8,
)
"""JSON values, with texts that attacks are made of."""
