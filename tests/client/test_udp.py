"""Asking over UDP: plain, signed, lost, and somebody else's answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.price_server import KEY, PLAIN, UNIX_MS
from trinity_beast.client import (
    BeastError,
    InvalidRequest,
    Options,
    PriceStale,
    RateLimited,
    TimedOut,
    TooManyAssets,
    UnknownAsset,
    UnknownKey,
    Unreachable,
)
from trinity_beast.client.credentials import Credentials

if TYPE_CHECKING:
    from client.conftest import MakeClient
    from support.either_client import EitherClient
    from support.price_server import DatagramServer


@pytest.fixture
def udp(make_client: MakeClient, datagrams: DatagramServer) -> EitherClient:
    return make_client(Options(udp_port=datagrams.port, udp_timeout_s=5.0))


@pytest.fixture
def hasty(make_client: MakeClient, datagrams: DatagramServer) -> EitherClient:
    """Ask without much patience for datagrams that are lost."""
    return make_client(Options(udp_port=datagrams.port, udp_timeout_s=0.05))


@pytest.mark.parametrize("signed", [True, False])
async def test_a_price_is_the_same_over_udp(udp: EitherClient, *, signed: bool) -> None:
    price = await udp.udp_price("btc", signed=signed)

    assert price.to_json() == PLAIN


@pytest.mark.parametrize("signed", [True, False])
async def test_a_batch_is_the_same_over_udp(udp: EitherClient, *, signed: bool) -> None:
    batch = await udp.udp_prices(["BTC", "eth", "BTC"], signed=signed)
    one = await udp.udp_prices(["BTC"], signed=signed)

    assert [price.asset for price in batch] == ["BTC", "ETH"]
    assert [price.asset for price in one] == ["BTC"]


async def test_the_key_itself_is_sent_only_on_demand(
    udp: EitherClient,
    datagrams: DatagramServer,
) -> None:
    await udp.udp_price("BTC")
    await udp.udp_price("BTC", signed=False)

    signed, plain = datagrams.heard
    assert KEY.encode() not in signed
    assert plain.startswith(f"{KEY} BTC ".encode())


def test_a_signature_is_made_as_the_protocol_says() -> None:
    datagram = Credentials("tb_live_example").signed("BTC,ETH", UNIX_MS, "00" * 8)

    # Worked out by hand with sha256sum and openssl dgst -mac HMAC.
    assert datagram == (
        b"TB1 6fc30286115092c0 1790000000000 0000000000000000 BTC,ETH "
        b"66d2dbd338ab5e3df4397098b72f4300"
    )


@pytest.mark.parametrize("signed", [True, False])
async def test_a_lost_datagram_is_sent_once_more_with_a_new_nonce(
    hasty: EitherClient,
    datagrams: DatagramServer,
    *,
    signed: bool,
) -> None:
    datagrams.drops = 1

    price = await hasty.udp_price("BTC", signed=signed)

    first, second = datagrams.heard
    assert price.asset == "BTC"
    assert first != second


async def test_a_server_that_never_answers_is_asked_twice(
    hasty: EitherClient,
    datagrams: DatagramServer,
) -> None:
    datagrams.drops = 9

    with pytest.raises(TimedOut):
        await hasty.udp_price("BTC")

    assert len(datagrams.heard) == 2


async def test_where_nobody_listens_the_network_says_so(
    make_client: MakeClient,
    datagrams: DatagramServer,
) -> None:
    client = make_client(Options(udp_port=1, udp_timeout_s=5.0))

    with pytest.raises(Unreachable, match="cannot be reached"):
        await client.udp_price("BTC")


async def test_a_name_that_is_none_is_told(make_client: MakeClient) -> None:
    client = make_client(Options(udp_host="no such host", udp_timeout_s=5.0))

    with pytest.raises(Unreachable):
        await client.udp_price("BTC")


@pytest.mark.parametrize("signed", [True, False])
async def test_answers_to_other_questions_are_passed_over(
    udp: EitherClient,
    datagrams: DatagramServer,
    *,
    signed: bool,
) -> None:
    answer = datagrams.say
    late = b'{"id":"somebody_elses",' + PLAIN.replace("BTC", "OLD")[1:].encode()

    def say(words: list[str]) -> list[bytes]:
        (ours,) = answer(words)
        return [late, b"noise", ours, ours]

    datagrams.say = say

    assert (await udp.udp_price("BTC", signed=signed)).asset == "BTC"


@pytest.mark.parametrize("noise", [b"noise", b'{"id":"somebody_elses"}'])
async def test_noise_alone_is_no_answer(
    hasty: EitherClient,
    datagrams: DatagramServer,
    noise: bytes,
) -> None:
    datagrams.say = lambda _words: [noise]

    with pytest.raises(TimedOut):
        await hasty.udp_price("BTC")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b'{"error":"rate_limited","retry_after_ms":120}', RateLimited),
        (b'{"error":"unknown_asset"}', UnknownAsset),
        (b'{"error":"out_of_tea"}', BeastError),
        (b'{"error":"unknown_ke', UnknownKey),
        (b'{"error":"', UnknownKey),
        (b'{"error":"rate_l', RateLimited),
        (b'{"error":"out_of', BeastError),
    ],
)
async def test_a_refusal_is_raised_and_not_asked_again_even_when_it_was_cut(
    udp: EitherClient,
    datagrams: DatagramServer,
    answer: bytes,
    kind: type[BeastError],
) -> None:
    datagrams.say = lambda _words: [answer]

    with pytest.raises(BeastError) as told:
        await udp.udp_price("BTC")

    assert type(told.value) is kind
    assert len(datagrams.heard) == 1


async def test_a_full_bucket_says_over_udp_too_when_to_come_back(
    udp: EitherClient,
    datagrams: DatagramServer,
) -> None:
    datagrams.say = lambda _words: [b'{"error":"rate_limited","retry_after_ms":120}']

    with pytest.raises(RateLimited) as told:
        await udp.udp_price("BTC")

    assert told.value.retry_after_ms == 120


async def test_a_batch_of_one_without_a_price_is_a_batch_all_the_same(
    udp: EitherClient,
    datagrams: DatagramServer,
) -> None:
    datagrams.say = lambda _words: [b'{"error":"price_stale"}']

    batch = await udp.udp_prices(["BTC"])

    assert [failure.asset for failure in batch.failures] == ["BTC"]
    with pytest.raises(PriceStale):
        batch["BTC"]
    with pytest.raises(PriceStale):
        await udp.udp_prices(["BTC", "ETH"])


@pytest.mark.parametrize(
    ("assets", "kind"),
    [
        ([], InvalidRequest),
        (["BTC other_id"], InvalidRequest),
        (["BTC,ETH"], InvalidRequest),
        (["BTC\n"], InvalidRequest),
        (["₿"], InvalidRequest),
        ([f"A{number}" for number in range(9)], TooManyAssets),
    ],
)
async def test_what_would_be_read_as_something_else_is_not_sent(
    udp: EitherClient,
    datagrams: DatagramServer,
    assets: list[str],
    kind: type[BeastError],
) -> None:
    with pytest.raises(kind):
        await udp.udp_prices(assets)

    assert datagrams.heard == []
