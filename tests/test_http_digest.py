"""The proofs of RFC 7616, section 3.9.1."""

from __future__ import annotations

import pytest

from naftiko_runtime.http_digest import ALGORITHMS, response, user_hash

NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
COUNTED = "00000001:f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ:auth"


@pytest.mark.parametrize(
    ("algorithm", "proof"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_proof_is_the_one_of_the_standard(algorithm: str, proof: str) -> None:
    hashed = user_hash(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life")
    assert response(algorithm, hashed, NONCE, COUNTED, "GET", "/dir/index.html") == proof


def test_the_form_without_a_count_is_that_of_rfc_2069() -> None:
    hashed = user_hash("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life")
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    proof = response("MD5", hashed, nonce, "", "GET", "/dir/index.html")
    assert proof == "670fd8c2df070c60b045671b8b24ff02"


def test_the_stronger_algorithm_is_offered_first() -> None:
    assert list(ALGORITHMS) == ["SHA-256", "MD5"]
