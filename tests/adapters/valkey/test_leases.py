"""Leases in Valkey, by its script."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from glide import GlideClient

from contracts.leases import (
    LeasesContract,
    OpenLeases,
    month,
    of_bucket,
    places,
    tokens,
)
from support.relay import Relay
from trinity_beast.adapters.valkey import ValkeyLeases, open_valkey
from trinity_beast.ports.leases import Ask, BucketAsk, LeasesUnreachable


@pytest.fixture
async def client(valkey_url: str) -> AsyncIterator[GlideClient]:
    client = await open_valkey(valkey_url, client_name="leases")
    yield client
    await client.close()


@pytest.fixture
def leases(client: GlideClient) -> OpenLeases:
    return lambda holder: ValkeyLeases(client, holder)


class TestValkeyLeases(LeasesContract):
    """The script keeps the contract."""


async def test_numbers_are_exact_up_to_the_largest_limits(
    leases: OpenLeases,
) -> None:
    most = 999_999_998
    ask = Ask("k", 3, BucketAsk(most, most, most - 1), month(7, limit=most, known=5))

    given = await leases("ann").exchange(ask)

    assert tokens(given).granted == most - 1
    assert tokens(given).level == 1_000_000_000
    assert (places(given).granted, places(given).used) == (7, 12)
    assert places(given).share == (most - 12) // 6


async def test_everything_has_an_end(leases: OpenLeases, client: GlideClient) -> None:
    await leases("ann").exchange(Ask("k", 1, BucketAsk(1, 10, 4), month(5)))

    ends = [await client.ttl(f"limits:{{k}}:{part}") for part in ("bucket", "202609")]

    assert 60 < ends[0] <= 65
    assert ends[1] > 86_400


async def test_tokens_flow_by_the_clock_of_valkey(leases: OpenLeases) -> None:
    ann = leases("ann")
    fast = of_bucket(1_000, qps=1_000_000, burst=1_000)
    await ann.exchange(fast)

    granted = [tokens(await ann.exchange(fast)).granted for _ in range(3)]

    assert all(granted)


async def test_a_valkey_that_is_away_is_told(valkey_url: str) -> None:
    relay = Relay.to_valkey(valkey_url)
    await relay.mend()
    port = valkey_url.rpartition(":")[2].partition("/")[0]
    url = valkey_url.replace(f":{port}/", f":{relay.port}/")
    client = await open_valkey(url, client_name="wired", request_timeout_ms=200)
    ann = ValkeyLeases(client, "ann")
    await ann.beat()
    await relay.cut()

    for call in (
        ann.exchange(of_bucket(1)),
        ann.beat(),
        ann.let_go("k", 202609),
        ann.leave(),
    ):
        with pytest.raises(LeasesUnreachable):
            await call

    await client.close()
