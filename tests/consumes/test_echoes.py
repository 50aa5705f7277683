"""Credentials that an upstream echoes are taken out of what comes in pieces, too."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.consumes.echoes import EchoFilter, spellings_of, without_secrets

SECRET = "canary-5d1e9a77"


def filtered(pieces: list[bytes], spellings: list[bytes]) -> bytes:
    echoes = EchoFilter(spellings)
    return b"".join([*(echoes.feed(piece) for piece in pieces), echoes.finish()])


def plainly_masked(data: bytes, spellings: list[bytes]) -> bytes:
    """Every byte that belongs to a spelling, wherever it begins, as `*`."""
    hidden: set[int] = set()
    for written in spellings:
        for start in range(len(data)):
            if data.startswith(written, start):
                hidden |= set(range(start, start + len(written)))
    return bytes(ord("*") if at in hidden else byte for at, byte in enumerate(data))


@given(
    st.lists(st.binary(max_size=6).map(lambda data: bytes(b % 3 + 97 for b in data)), max_size=12),
    st.lists(
        st.binary(min_size=1, max_size=7).map(lambda data: bytes(b % 3 + 97 for b in data)),
        max_size=4,
    ),
)
def test_r7_no_cut_shows_a_part_of_a_spelling(pieces: list[bytes], spellings: list[bytes]) -> None:
    assert filtered(pieces, spellings) == plainly_masked(b"".join(pieces), spellings)


@given(st.integers(0, len(SECRET)))
def test_r7_a_credential_in_two_pieces_is_hidden_and_the_length_stays(cut: int) -> None:
    text = SECRET.encode()
    pieces = [b"you are " + text[:cut], text[cut:] + b"!"]
    assert filtered(pieces, spellings_of([SECRET])) == b"you are " + b"*" * len(text) + b"!"


def test_what_no_credential_can_begin_with_is_passed_on_at_once() -> None:
    echoes = EchoFilter(spellings_of([SECRET]))
    assert echoes.feed(b"data: can") == b"data: "
    assert echoes.feed(b" do\n\n") == b"can do\n\n"


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ('say "fri/end"', r"say \"fri/end\""),
        ("a/b/c/d/e/f", r"a\/b\/c\/d\/e\/f"),
        ("key+with/odd=", "key%2Bwith%2Fodd%3D"),
    ],
    ids=["in JSON", "in JSON with escaped slashes", "in a URL"],
)
def test_r7_a_credential_is_found_as_answers_spell_it(secret: str, shown: str) -> None:
    assert without_secrets(f"<{shown}>".encode(), (secret,)) == b"<***>"


def test_r7_of_credentials_that_begin_alike_no_rest_is_left() -> None:
    secrets = ("abcdefgh", "abcdefgh-and-more")
    assert without_secrets(b"abcdefgh-and-more, abcdefgh", secrets) == b"***, ***"


def test_credentials_of_less_than_eight_characters_are_not_looked_for() -> None:
    assert spellings_of(["1234567"]) == []
