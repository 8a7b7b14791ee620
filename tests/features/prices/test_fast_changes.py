"""The short way sees each change at once, and steps aside for what is not usual."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_network
from typing import TYPE_CHECKING, cast

import pytest

from support.lpo import SNAPSHOT, asset
from support.short_way import Listener, Raw, get, listening_to
from trinity_beast.features.keys import display_form, hash_of
from trinity_beast.features.prices import LpoParts, PriceShortcut
from trinity_beast.ports.changes import Change

if TYPE_CHECKING:
    from support.lpo import World

PRICE = "/price?asset=BTC"


class Client:
    """A connection to a listener whose world is at hand."""

    def __init__(self, listener: Listener, connection: Raw) -> None:
        self.listener = listener
        self.world = listener.world
        self.connection = connection

    async def ask(self, raw: bytes) -> tuple[int, dict[str, object]]:
        """Return status and body of an answer, and check which way it came."""
        answer = await self.connection.ask(raw)
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)

    async def asks(self, raw: bytes, times: int) -> int:
        """Ask so often; return how often the short way was taken."""
        before = self.listener.taken
        for _ in range(times):
            await self.connection.ask(raw)
        return self.listener.taken - before

    async def change_key(self, secret: str, **changes: object) -> None:
        """Change a key's row, and let the ring hear of it."""
        key_hash = hash_of(secret)
        key = self.world.keys[key_hash] = replace(self.world.keys[key_hash], **changes)
        change = Change("api_keys", "UPDATE", str(key.id), key_hash)
        await self.world.parts.keys.apply(change)


@pytest.fixture
async def client(world: World) -> AsyncIterator[Client]:
    world.trade("BTC", "65000.10")
    async with listening_to(world) as listener, listener.connected() as connection:
        yield Client(listener, connection)


async def test_the_second_request_takes_the_short_way(client: Client) -> None:
    raw = get(PRICE, client.world.new_key())

    assert await client.asks(raw, 3) == 2


async def test_a_new_connection_takes_it_at_once(client: Client) -> None:
    raw = get(PRICE, client.world.new_key())
    await client.asks(raw, 1)

    async with client.listener.connected() as other:
        await other.ask(raw)

    assert client.listener.taken == 1


async def test_a_posted_batch_in_one_piece_takes_it_too(client: Client) -> None:
    body = b'{"assets":["BTC"]}'
    key = client.world.new_key()
    head = get("/prices", key, f"Content-Length: {len(body)}")
    raw = head.replace(b"GET", b"POST", 1) + body

    assert await client.asks(raw, 3) == 2


@pytest.mark.parametrize(
    "target",
    [
        "/price?asset=BTC&max_age_ms=1000",
        "/account/key",
        "/account/limits",
        "/prices?assets=BTC,XXX",
        "/assets",
    ],
)
async def test_what_is_not_usual_takes_the_ordinary_way(
    client: Client,
    target: str,
) -> None:
    raw = get(target, client.world.new_key())

    assert await client.asks(raw, 3) == 0


async def test_head_requests_take_the_ordinary_way(client: Client) -> None:
    raw = get(PRICE, client.world.new_key()).replace(b"GET", b"HEAD", 1)

    for _ in range(3):
        await client.connection.ask(raw, is_head=True)

    assert client.listener.taken == 0
    assert len(client.world.records()) == 3


async def test_a_revoked_key_is_refused_with_the_next_request(client: Client) -> None:
    secret = client.world.new_key()
    raw = get(PRICE, secret)
    await client.asks(raw, 2)

    await client.change_key(secret, revoked=True)
    status, body = await client.ask(raw)

    assert (status, body["code"]) == (403, "revoked_key")


async def test_a_key_whose_row_is_gone_is_unknown(client: Client) -> None:
    secret = client.world.new_key()
    raw = get(PRICE, secret)
    await client.asks(raw, 2)

    key = client.world.keys.pop(hash_of(secret))
    await client.world.parts.keys.apply(
        Change("api_keys", "DELETE", str(key.id), key.key_hash),
    )
    status, body = await client.ask(raw)
    client.world.keys[key.key_hash] = key
    await client.world.parts.keys.apply(
        Change("api_keys", "INSERT", str(key.id), key.key_hash),
    )

    assert (status, body["code"]) == (401, "unknown_key")
    assert await client.asks(raw, 3) == 2


async def test_a_key_revoked_while_its_answer_is_made_is_not_remembered(
    world: World,
) -> None:
    class Revoking(PriceShortcut):
        """The row changes between the answer and its being remembered."""

        async def learn(self, scope: object, request: object) -> None:
            await client.change_key(secret, revoked=True)
            await super().learn(scope, request)  # pyright: ignore[reportArgumentType] - passed through

    world.trade("BTC", "1")
    secret = world.new_key()
    shortcut = Revoking(world.parts)
    async with (
        listening_to(world, shortcut=shortcut) as listener,
        listener.connected() as connection,
    ):
        client = Client(listener, connection)
        first, _ = await client.ask(get(PRICE, secret))
        second, _ = await client.ask(get(PRICE, secret))

    assert (first, second, listener.taken) == (200, 403, 0)


async def test_a_change_of_the_row_counts_at_once(client: Client) -> None:
    secret = client.world.new_key()
    raw = get(PRICE, secret)
    await client.asks(raw, 2)

    await client.change_key(secret, response_format="tbc", rate_limit_qps=50)
    answer = await client.connection.ask(raw)

    assert b'ratelimit-policy: "second";q=50;w=1, ' in answer
    assert b'"status_code":200' in answer
    assert client.listener.taken == 2


async def test_an_empty_bucket_refuses_and_fills_again(client: Client) -> None:
    raw = get(PRICE, client.world.new_key(rate_limit_qps=1, burst_limit=3))

    statuses = [(await client.ask(raw))[0] for _ in range(5)]
    client.world.clock.advance(1)
    statuses += [(await client.ask(raw))[0] for _ in range(2)]

    assert statuses == [200, 200, 200, 429, 429, 200, 429]
    assert [record.token_count for record in client.world.records()] == [
        1,
        1,
        1,
        0,
        0,
        1,
        0,
    ]


async def test_a_used_up_month_refuses_until_the_next_one(client: Client) -> None:
    raw = get(PRICE, client.world.new_key(query_limit=3))

    codes = [(await client.ask(raw))[1].get("code") for _ in range(4)]
    client.world.clock.advance(10 * 86_400)
    client.world.trade("BTC", "1")
    status, _ = await client.ask(raw)

    assert codes == [None, None, None, "quota_exceeded"]
    assert status == 200


async def test_no_answer_has_an_old_price(client: Client) -> None:
    raw = get(PRICE, client.world.new_key(rate_limit_qps=1000, burst_limit=1000))
    prices: list[object] = []

    for number in range(20):
        client.world.trade("BTC", str(number + 1))
        prices.append((await client.ask(raw))[1]["price"])

    assert prices == list(range(1, 21))
    assert client.listener.taken == 19


async def test_the_age_is_told_in_tenths_of_a_second(client: Client) -> None:
    raw = get(PRICE, client.world.new_key())
    ages: list[object] = []

    for _ in range(6):
        ages.append((await client.ask(raw))[1]["cache_age_seconds"])
        client.world.clock.advance(0.06)

    assert ages == [0.0, 0.0, 0.1, 0.1, 0.2, 0.3]
    assert client.listener.taken == 5


async def test_a_clock_that_goes_back_makes_no_price_younger_than_new(
    client: Client,
) -> None:
    raw = get(PRICE, client.world.new_key())
    client.world.clock.advance(1)
    ages: list[object] = []

    for seconds in (0, -0.5, -5, 6):
        client.world.clock.wall_ns += round(seconds * 1e9)
        ages.append((await client.ask(raw))[1]["cache_age_seconds"])

    assert ages == [1.0, 0.5, 0.0, 1.5]


async def test_a_silent_feed_has_no_price_until_it_is_heard_again(
    client: Client,
) -> None:
    raw = get(PRICE, client.world.new_key())
    await client.asks(raw, 2)

    client.world.clock.advance(30)
    at_the_end, _ = await client.ask(raw)
    client.world.clock.advance(0.000_000_001)
    silent, body = await client.ask(raw)
    again, _ = await client.ask(raw)
    client.world.board.heard("coinbase-ws", client.world.clock.now_ns())
    heard, _ = await client.ask(raw)

    assert (at_the_end, silent, again, heard) == (200, 503, 503, 200)
    assert body["code"] == "price_unavailable"
    assert client.listener.taken == 3


async def test_an_asset_that_is_not_served_any_more_is_unknown(client: Client) -> None:
    raw = get(PRICE, client.world.new_key())
    await client.asks(raw, 2)

    client.world.parts.catalogue.replace(
        replace(SNAPSHOT, assets=(asset(3, "coinbase", "ETH"),)),
    )
    gone, _ = await client.ask(raw)
    client.world.parts.catalogue.replace(SNAPSHOT)
    back, _ = await client.ask(raw)

    assert (gone, back) == (404, 200)


async def test_a_changed_parameter_counts_at_once(client: Client) -> None:
    raw = get(PRICE, client.world.new_key())
    client.world.clock.advance(15)
    await client.asks(raw, 2)

    client.world.parts.parameters.replace({"feed_silence_seconds": "5"})
    status, _ = await client.ask(raw)

    assert status == 503


async def test_a_batch_follows_each_of_its_prices(client: Client) -> None:
    world = client.world
    world.trade("ETH", "3000")
    raw = get("/prices?assets=BTC,ETH", world.new_key())
    told: list[object] = []

    for name, price in (("BTC", "1"), ("BTC", "2"), ("ETH", "3"), ("ETH", "3")):
        world.trade(name, price)
        items = cast("list[dict[str, object]]", (await client.ask(raw))[1]["prices"])
        told.append([item["price"] for item in items])

    assert told == [[1, 3000], [2, 3000], [2, 3], [2, 3]]
    assert client.listener.taken == 3


async def test_a_batch_with_a_price_missing_takes_the_ordinary_way(
    client: Client,
) -> None:
    world = client.world
    world.trade("ETH", "3000", source="kraken-ws")
    raw = get("/prices?assets=BTC,ETH", world.new_key())
    assert await client.asks(raw, 2) == 1

    world.clock.advance(31)
    world.board.heard("coinbase-ws", world.clock.now_ns())
    taken = await client.asks(raw, 2)
    world.board.heard("kraken-ws", world.clock.now_ns())

    assert (taken, await client.asks(raw, 1)) == (0, 1)


async def test_two_keys_never_meet(client: Client) -> None:
    keys = [client.world.new_key(), client.world.new_key()]
    for key in keys:
        await client.asks(get(PRICE, key), 1)

    await client.change_key(keys[0], revoked=True)
    statuses = [(await client.ask(get(PRICE, key)))[0] for key in keys]

    assert statuses == [403, 200]


def behind(world: World, *networks: str) -> LpoParts:
    return replace(
        world.parts,
        trusted_hops=tuple(ip_network(network) for network in networks),
    )


async def test_behind_a_load_balancer_the_record_names_the_client(
    world: World,
) -> None:
    world.trade("BTC", "1")
    world.parts = behind(world, "127.0.0.0/8")
    key = world.new_key()
    raws = [get(PRICE, key, f"X-Forwarded-For: 198.51.100.{n}") for n in (7, 8)]

    async with listening_to(world) as listener, listener.connected() as connection:
        for raw in raws * 2:
            await connection.ask(raw)

    assert listener.taken == 2
    assert [record.ip for record in world.records()] == [
        "198.51.100.7",
        "198.51.100.8",
    ] * 2


async def test_another_load_balancer_is_met_first_in_the_ordinary_way(
    world: World,
) -> None:
    world.trade("BTC", "1")
    world.parts = behind(world, "127.0.0.1")
    raw = get(PRICE, world.new_key(), "X-Forwarded-For: 198.51.100.7")
    shortcut = PriceShortcut(world.parts)

    async with (
        listening_to(world, shortcut=shortcut) as listener,
        listener.connected() as connection,
    ):
        await connection.ask(raw)
        known = shortcut.try_answer(raw, "127.0.0.1")
        unknown = shortcut.try_answer(raw, "127.0.0.2")

    assert known is not None
    assert unknown is None


async def test_a_full_buffer_drops_records_but_answers(client: Client) -> None:
    raw = get(PRICE, client.world.new_key())
    client.world.usage.resize(1)

    assert await client.asks(raw, 3) == 2
    assert client.world.usage.dropped == 2


async def test_nothing_is_taken_twice_when_the_way_is_left(client: Client) -> None:
    secret = client.world.new_key(rate_limit_qps=1, burst_limit=5)
    raw = get(PRICE, secret)
    await client.asks(raw, 2)

    client.world.clock.advance(31)
    client.world.clock.steady_ns -= 31_000_000_000
    refused = await client.connection.ask(raw)

    assert refused.startswith(b"HTTP/1.1 503 ")
    # The bucket had five; two answers and one refusal have taken one each.
    assert b'"second";r=2;' in refused
    assert b'"month";r=49998;' in refused


async def test_display_forms_and_secrets_stay_out_of_answers(client: Client) -> None:
    secret = client.world.new_key()
    raw = get(PRICE, secret)

    answers = [await client.connection.ask(raw) for _ in range(2)]

    assert all(secret.encode() not in answer for answer in answers)
    assert all(display_form(secret).encode() not in answer for answer in answers)
