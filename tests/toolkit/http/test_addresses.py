from __future__ import annotations

from ipaddress import ip_network

import pytest

from trinity_beast.toolkit.http.addresses import ClientAddresses

HOPS = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def scope(peer: str | None, *forwarded: str) -> dict[str, object]:
    return {
        "client": (peer, 40_000) if peer is not None else None,
        "headers": [(b"x-forwarded-for", line.encode()) for line in forwarded],
    }


def test_without_trusted_hops_the_peer_is_the_client() -> None:
    assert ClientAddresses().of(scope("10.0.0.1", "203.0.113.9")) == "10.0.0.1"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["1.1.1.1", "203.0.113.9"], "203.0.113.9"),
        ("203.0.113.7", ["1.1.1.1"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["nonsense"], "10.0.0.1"),
        ("10.0.0.1", ["1.1.1.1, nonsense, 10.0.0.9"], "10.0.0.9"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::5"),
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("/run/socket", ["1.1.1.1"], ""),
        (None, ["1.1.1.1"], ""),
    ],
)
def test_only_trusted_hops_may_vouch_for_a_client(
    peer: str | None,
    forwarded: list[str],
    client: str,
) -> None:
    assert ClientAddresses(HOPS).of(scope(peer, *forwarded)) == client
