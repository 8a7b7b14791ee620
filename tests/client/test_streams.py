"""Streams: events in order, and a connection that heals itself."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from support.either_client import Pace
from support.price_server import KEY, PLAIN, Answer, events, problem
from trinity_beast.client import (
    NEVER,
    AnswerUnreadable,
    AsyncBeastClient,
    BeastClient,
    BeastError,
    Options,
    PriceEvent,
    RateLimited,
    RetryPolicy,
    RevokedKey,
    TierNotAllowed,
    TimedOut,
    Unreachable,
    async_wire,
    sync_wire,
)
from trinity_beast.client.effects import Read
from trinity_beast.client.parts import Parts
from trinity_beast.client.sockets import Socket
from trinity_beast.client.translating import LINE_CLOSED

if TYPE_CHECKING:
    from client.conftest import MakeClient
    from support.either_client import EitherClient
    from support.price_server import PriceServer

ETH = PLAIN.replace("BTC", "ETH")
PRICES = f'{{"prices":[{PLAIN},{ETH}]}}'
HEARTBEAT = ": still here\n\n"


def event(name: str, event_id: str = "", data: str = PLAIN) -> str:
    place = f"id: {event_id}\n" if event_id else ""
    return f"event: {name}\n{place}data: {data}\n\n"


def brief(told: list[PriceEvent]) -> list[tuple[str, str, str | None]]:
    return [(each.kind, each.asset, each.event_id) for each in told]


async def test_events_come_in_order_with_exact_prices(
    client: EitherClient,
    server: PriceServer,
) -> None:
    told = event("snapshot", "1"), HEARTBEAT, event("price", "2", ETH)
    server.answers = [events(*told, is_silent=True)]

    heard = await client.hear(2)

    asked = server.heard[0]
    assert (asked.method, asked.path) == ("GET", "/stream/prices")
    assert asked.query == {"assets": "BTC"}
    assert asked.headers["accept"] == "text/event-stream"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert "last-event-id" not in asked.headers
    assert brief(heard) == [("snapshot", "BTC", "1"), ("price", "ETH", "2")]
    assert [each.price and each.price.to_json() for each in heard] == [PLAIN, ETH]


async def test_one_snapshot_of_many_prices_is_one_event_for_each(
    client: EitherClient,
    server: PriceServer,
) -> None:
    server.answers = [events(event("snapshot", "7", PRICES), is_silent=True)]

    heard = await client.hear(2)

    assert brief(heard) == [("snapshot", "BTC", None), ("snapshot", "ETH", "7")]


async def test_a_stale_price_is_told_with_or_without_its_reason(
    client: EitherClient,
    server: PriceServer,
) -> None:
    failed = '{"asset":"ETH","error":{"code":"price_unavailable","message":"None."}}'
    told = event("stale", "", '{"asset":"BTC"}'), event("stale", "", failed)
    server.answers = [events(*told, is_silent=True)]

    first, second = await client.hear(2)

    assert (first.kind, first.asset, first.price, first.error) == (
        "stale",
        "BTC",
        None,
        None,
    )
    assert second.error
    assert (second.asset, second.error.code) == ("ETH", "price_unavailable")


async def test_what_this_client_does_not_know_is_passed_over(
    client: EitherClient,
    server: PriceServer,
) -> None:
    told = (
        event("weather", "", '{"asset":"BTC","price":1}'),
        event("price", "", "no JSON"),
        event("price", "", "{}"),
        event("price", "", '{"prices":[7]}'),
        "data\n\nevent\n\nsurprise: yes\n\nid: 4\n\nid: 5\0\n\n",
        event("price", "9"),
    )
    server.answers = [events(*told, is_silent=True)]

    assert brief(await client.hear(1)) == [("price", "BTC", "9")]


async def test_a_broken_stream_goes_on_after_the_last_event(
    client: EitherClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    server.answers = [
        events(event("snapshot", "1"), event("price", "2"), event("price")),
        None,
        problem(503, "overloaded"),
        events(event("price", "3"), is_silent=True),
    ]

    heard = await client.hear(4)

    places = [each.headers.get("last-event-id") for each in server.heard]
    assert [each.event_id for each in heard] == ["1", "2", None, "3"]
    assert places == [None, "2", "2", "2"]
    assert pace.waits == [0.25, 0.5, 1.0]


async def test_the_server_may_ask_for_a_longer_pause(
    client: EitherClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    first = events("retry: 3000\nretry: soon\n\n", event("price", "1"))
    server.answers = [first, events(event("price", "2"), is_silent=True)]

    await client.hear(2)

    assert pace.waits == [3.0]


async def test_a_silent_stream_is_taken_for_broken(
    make_client: MakeClient,
    server: PriceServer,
) -> None:
    client = make_client(Options(silence_s=0.05))
    server.answers = [
        events(event("price", "1"), is_silent=True),
        events(event("price", "2"), is_silent=True),
    ]

    heard = await client.hear(2)

    assert [each.event_id for each in heard] == ["1", "2"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (problem(403, "tier_not_allowed"), TierNotAllowed),
        (problem(403, "revoked_key"), RevokedKey),
        (Answer("<html>Welcome to the hotel</html>"), AnswerUnreadable),
        (events(event("error", "", '{"code":"revoked_key"}')), RevokedKey),
        (events("data: " + "x" * 1_100_000), AnswerUnreadable),
        (events(*["data: " + "x" * 1_000_000 + "\n"] * 2), AnswerUnreadable),
    ],
    ids=["plan", "revoked", "not a stream", "told later", "endless", "endless lines"],
)
async def test_what_is_refused_for_good_is_raised(
    client: EitherClient,
    server: PriceServer,
    answer: Answer,
    kind: type[BeastError],
) -> None:
    server.answers = [answer]

    with pytest.raises(kind):
        await client.hear(1)

    assert len(server.heard) == 1


async def test_patience_with_a_server_that_is_away_has_an_end(
    make_client: MakeClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    server.answers = [events(event("price", "1")), None]
    policy = RetryPolicy(within_s=2.0, most_retries=99, first_wait_s=0.5)

    with pytest.raises(Unreachable):
        await make_client(Options(reconnect=policy)).hear(2)

    assert pace.waits == [0.25, 0.5, 1.0]


async def test_a_reader_that_is_slow_is_not_read_ahead_for(
    client: EitherClient,
    server: PriceServer,
) -> None:
    """What nobody asked for stays in the network, so that the server sees it."""
    server.answers = [events(*[event("price")] * 50_000, is_silent=True)]

    await client.hear(1)

    assert server.is_stuck


def test_a_closed_stream_has_no_events(server: PriceServer) -> None:
    with BeastClient(KEY, server.url) as beast:
        stream = beast.stream(["BTC"])
        stream.close()
        stream.close()

        assert list(stream) == []


def test_a_blocking_client_closes_its_streams_too(server: PriceServer) -> None:
    with BeastClient(KEY, server.url) as beast:
        stream = beast.stream(["BTC"])

    assert list(stream) == []


async def test_a_line_that_is_not_open_has_nothing_to_say(server: PriceServer) -> None:
    parts = Parts(KEY, server.url, Options(), Pace().surroundings())
    with sync_wire.open_http(parts) as http:
        blocking = sync_wire.Line(parts, http).do(Read())
    async with async_wire.open_http(parts) as http:
        concurrent = await async_wire.Line(parts, http).do(Read())
    socket = await Socket(parts).read()

    assert blocking == concurrent == socket == LINE_CLOSED


async def test_closing_a_client_ends_its_streams(server: PriceServer) -> None:
    server.answers = [events(event("price", "1"), is_silent=True)]
    heard: list[PriceEvent] = []
    first = asyncio.Event()

    async def listen(beast: AsyncBeastClient) -> None:
        async for each in beast.stream(["BTC"]):
            heard.append(each)
            first.set()

    async with AsyncBeastClient(KEY, server.url) as beast:
        listening = asyncio.create_task(listen(beast))
        await first.wait()
    await listening

    assert brief(heard) == [("price", "BTC", "1")]


async def test_a_stream_that_failed_has_ended(server: PriceServer) -> None:
    server.answers = [problem(403, "tier_not_allowed")]

    async with AsyncBeastClient(KEY, server.url) as beast:
        stream = beast.stream(["BTC"])
        with pytest.raises(TierNotAllowed):
            await anext(stream)

        assert [each async for each in stream] == []


async def test_a_cancelled_reader_leaves_nothing_open(server: PriceServer) -> None:
    server.answers = [events(is_silent=True)]

    async with AsyncBeastClient(KEY, server.url) as beast:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(beast.stream(["BTC"]))


async def test_a_stream_that_never_opens_is_given_up(
    make_client: MakeClient,
    server: PriceServer,
) -> None:
    server.answers = [Answer("", is_silent=True, headers=(("Content-Length", "9"),))]
    options = Options(silence_s=0.05, reconnect=NEVER)

    with pytest.raises((TimedOut, AnswerUnreadable)):
        await make_client(options).hear(1)


async def test_a_stream_that_does_not_open_is_given_up_sooner_than_one_that_broke(
    client: EitherClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    server.answers = [problem(429, "rate_limited", retry_after_ms=1_000)]

    with pytest.raises(RateLimited):
        await client.hear(1)

    assert pace.waits == [1.0] * 3


async def test_a_stream_that_broke_late_is_opened_again_as_if_it_broke_early(
    make_client: MakeClient,
    server: PriceServer,
    pace: Pace,
) -> None:
    server.answers = [
        events(event("price", "1")),
        events(),
        events(event("price", "2"), is_silent=True),
    ]
    client = make_client(Options(reconnect=RetryPolicy(within_s=3.0, first_wait_s=2.0)))

    heard = await client.hear(2)

    assert [each.event_id for each in heard] == ["1", "2"]
    assert pace.waits == [1.0, 1.0]


async def test_a_server_that_ends_a_stream_to_stop_is_found_again(
    client: EitherClient,
    server: PriceServer,
) -> None:
    ending = event("error", "", '{"code":"overloaded","message":"Ending."}')
    server.answers = [events(ending), events(event("price", "2"), is_silent=True)]

    heard = await client.hear(1)

    assert [each.event_id for each in heard] == ["2"]
