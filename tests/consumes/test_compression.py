"""Compressed bodies decompress to what was compressed, however they are cut into chunks."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from naftiko_runtime.consumes.compression import CompressionError, Decompressor, decompressor

PIECE = 64 * 1024

WAYS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "gzip in two members": (
        "gzip",
        lambda d: gzip.compress(d[: len(d) // 2]) + gzip.compress(d[len(d) // 2 :]),
    ),
    "gzip with padding": ("gzip", lambda d: gzip.compress(d) + bytes(20)),
    "deflate": ("deflate", zlib.compress),
    "bare deflate": ("deflate", lambda d: zlib.compress(d)[2:-4]),
}


def opened(encoding: str) -> Decompressor:
    found = decompressor(encoding)
    assert found is not None
    return found


def chunks(data: bytes, sizes: list[int]) -> list[bytes]:
    """The data, cut after each of `sizes` bytes; the rest last."""
    cut = []
    for size in sizes:
        cut.append(data[:size])
        data = data[size:]
    return [*cut, data]


@pytest.mark.parametrize("way", WAYS)
@given(data=st.binary(max_size=2000), sizes=st.lists(st.integers(0, 50), max_size=30))
def test_any_body_in_any_chunks_comes_out_whole(way: str, data: bytes, sizes: list[int]) -> None:
    encoding, compress = WAYS[way]
    inflate = opened(encoding)
    out = b"".join(p for chunk in chunks(compress(data), sizes) for p in inflate.feed(chunk))
    inflate.finish()
    assert out == data


@pytest.mark.parametrize("way", ["gzip", "deflate", "bare deflate"])
@given(data=st.binary(min_size=1, max_size=500), cut=st.integers(1, 500))
def test_a_body_cut_short_is_noticed(way: str, data: bytes, cut: int) -> None:
    encoding, compress = WAYS[way]
    packed = compress(data)
    inflate = opened(encoding)
    for _ in inflate.feed(packed[: max(1, len(packed) - cut)]):
        pass
    with pytest.raises(CompressionError, match="cut short"):
        inflate.finish()


@given(encoding=st.sampled_from(["gzip", "deflate"]), data=st.binary(max_size=300))
def test_R1_any_bytes_decompress_or_are_refused(encoding: str, data: bytes) -> None:
    inflate = opened(encoding)
    try:
        for piece in inflate.feed(data):
            assert 0 < len(piece) <= PIECE
        inflate.finish()
    except CompressionError as error:
        refusal = str(error)
        assert refusal in ("damaged", "cut short")


@pytest.mark.parametrize("way", WAYS)
def test_R1_a_bomb_is_unpacked_only_as_far_as_is_asked_for(way: str) -> None:
    encoding, compress = WAYS[way]
    pieces = opened(encoding).feed(compress(bytes(50 * 2**20)))
    assert [len(next(pieces)) for _ in range(3)] == [PIECE] * 3


@pytest.mark.parametrize("encoding", [None, "", "identity", " Identity "])
def test_bodies_that_are_not_compressed_need_nothing(encoding: str | None) -> None:
    assert decompressor(encoding) is None


@pytest.mark.parametrize(
    "encoding", ["br", "zstd", "compress", "gzip, gzip", "gzip, identity", "x"]
)
def test_R1_other_encodings_and_chains_are_refused(encoding: str) -> None:
    with pytest.raises(CompressionError, match="not asked for"):
        decompressor(encoding)
