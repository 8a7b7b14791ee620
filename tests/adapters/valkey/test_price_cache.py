"""``price:{ASSET}`` in a real Valkey."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from glide import GlideClient

from support.ports import free_port
from trinity_beast.adapters.valkey import ValkeyPriceCache, open_valkey
from trinity_beast.ports.price_cache import PriceCacheAway


@pytest.fixture
async def client(valkey_url: str) -> AsyncIterator[GlideClient]:
    client = await open_valkey(valkey_url, client_name="prices")
    yield client
    await client.close()


async def test_prices_are_strings_that_go_by_themselves(client: GlideClient) -> None:
    cache = ValkeyPriceCache(client)

    await cache.store({"BTC": b'{"price":65000.10}', "ETH": b"{}"}, ttl_s=9)

    assert await client.get("price:BTC") == b'{"price":65000.10}'
    assert 8 <= await client.ttl("price:ETH") <= 9
    assert await cache.find("BTC") == b'{"price":65000.10}'


async def test_what_nobody_wrote_is_not_there(client: GlideClient) -> None:
    assert await ValkeyPriceCache(client).find("BTC") is None


async def test_nothing_to_write_is_no_round_trip() -> None:
    away = await open_valkey(f"valkey://127.0.0.1:{free_port()}", client_name="away")

    await ValkeyPriceCache(away).store({}, ttl_s=9)
    await away.close()


async def test_a_valkey_that_is_away_is_our_error() -> None:
    away = await open_valkey(
        f"valkey://127.0.0.1:{free_port()}",
        client_name="away",
        request_timeout_ms=100,
    )
    cache = ValkeyPriceCache(away)

    with pytest.raises(PriceCacheAway):
        await cache.find("BTC")
    with pytest.raises(PriceCacheAway):
        await cache.store({"BTC": b"{}"}, ttl_s=9)
    await away.close()


async def test_a_key_of_another_kind_is_our_error(client: GlideClient) -> None:
    await client.hset("price:BTC", {"price": "1"})

    with pytest.raises(PriceCacheAway):
        await ValkeyPriceCache(client).find("BTC")
