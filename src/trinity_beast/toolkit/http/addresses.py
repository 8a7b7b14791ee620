"""Who is asking, by address."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)

from starlette.types import Scope

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address


class ClientAddresses:
    """Finds the client's address, behind load balancers too.

    ``X-Forwarded-For`` is a claim that anybody can make, so it is read from its end,
    and only as long as each hop that vouches for the next one is trusted.

    Args:
        trusted_hops: Networks of our own load balancers; none means that the peer of
            the connection is the client.
    """

    def __init__(self, trusted_hops: Sequence[Network] = ()) -> None:
        self._trusted_hops = tuple(trusted_hops)

    def of(self, scope: Scope) -> str:
        """Return the client's address as text; empty when there is none."""
        client: tuple[str, int] | None = scope.get("client")
        peer = _parsed(client[0]) if client else None
        if peer is None:
            return ""
        if self._trusted_hops:
            for claim in reversed(_claims(scope)):
                if not self._is_trusted(peer):
                    break
                before = _parsed(claim)
                if before is None:
                    break
                peer = before
        return str(peer)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted_hops)


def _claims(scope: Scope) -> list[str]:
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    lines = [value for name, value in headers if name == b"x-forwarded-for"]
    return b",".join(lines).decode("latin-1").split(",") if lines else []


def _parsed(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address
