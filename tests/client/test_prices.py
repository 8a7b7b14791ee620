"""Asking over HTTP: what is sent, and how answers are read."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from support.price_server import KEY, PLAIN, Answer
from trinity_beast.client import AnswerUnreadable, Batch, Failure, Price, UnknownAsset

if TYPE_CHECKING:
    from support.either_client import EitherClient
    from support.price_server import PriceServer

BTC = Price(
    asset="BTC",
    price=Decimal("65012.30"),
    price_text="65012.30",
    traded_at=datetime(2026, 9, 21, 14, 13, 19, 500_000, tzinfo=UTC),
    source="coinbase-ws",
    cached=True,
    age_s=0.2,
    latency_ms=0,
    duration_ms=0,
)
ENVELOPE = '{"status":"✅ [LPO]","status_code":200,"endpoint":"/price",'


async def test_a_price_is_asked_for_with_the_key_in_a_header_alone(
    client: EitherClient,
    server: PriceServer,
) -> None:
    price = await client.price("BTC", max_age_ms=500)

    asked = server.heard[0]
    assert price == BTC
    assert (asked.method, asked.path) == ("GET", "/price")
    assert asked.query == {"asset": "BTC", "format": "plain", "max_age_ms": "500"}
    assert asked.headers["authorization"] == f"Bearer {KEY}"


async def test_what_a_caller_names_stays_one_parameter(
    client: EitherClient,
    server: PriceServer,
) -> None:
    await client.price("B&max_age_ms=1#/?")

    assert server.heard[0].query == {"asset": "B&max_age_ms=1#/?", "format": "plain"}


@pytest.mark.parametrize(
    "digits",
    ["0.10", "121.5800000000", "12345678901234567890.123456789012345678", "7", "1.0"],
)
async def test_a_price_keeps_the_digits_of_the_exchange(
    client: EitherClient,
    server: PriceServer,
    digits: str,
) -> None:
    server.answers = [Answer(PLAIN.replace("65012.30", digits))]

    price = await client.price("BTC")

    assert (price.price_text, price.price) == (digits, Decimal(digits))
    assert price.to_json() == PLAIN.replace("65012.30", digits)


async def test_the_envelope_of_a_tbc_key_is_looked_through(
    client: EitherClient,
    server: PriceServer,
) -> None:
    server.answers = [Answer(ENVELOPE + PLAIN[1:])]

    assert await client.price("BTC") == BTC


async def test_fields_that_came_later_than_this_client_are_skipped(
    client: EitherClient,
    server: PriceServer,
) -> None:
    shorter = PLAIN.replace(',"duration_ms":0}', ',"mood":"good"}')
    server.answers = [Answer(shorter.replace('"cached":true', '"cached":false'))]

    price = await client.price("BTC")

    assert (price.duration_ms, price.cached) == (0, False)


async def test_a_batch_has_the_price_or_the_error_of_each_asset(
    client: EitherClient,
    server: PriceServer,
) -> None:
    refused = '{"asset":"XXX","error":{"code":"unknown_asset","message":"No XXX."}}'
    server.answers = [Answer(f'{{"count":2,"prices":[{PLAIN},{refused}]}}')]

    batch = await client.prices(["btc", "xxx"], max_age_ms=900)

    asked = server.heard[0]
    question = {"assets": ["btc", "xxx"], "format": "plain", "max_age_ms": 900}
    assert (asked.method, asked.path) == ("POST", "/prices")
    assert json.loads(asked.body) == question
    assert asked.headers["content-type"] == "application/json"
    assert list(batch) == [BTC]
    assert (len(batch), batch["btc"], batch.prices) == (1, BTC, (BTC,))
    failure = batch.failures[0]
    assert (failure.asset, failure.error.code) == ("XXX", "unknown_asset")
    assert batch.items == (BTC, failure)


def test_an_asset_of_a_batch_without_a_price_raises_when_it_is_looked_up() -> None:
    error = UnknownAsset("No XXX.")
    batch = Batch((BTC, Failure("XXX", error)))

    with pytest.raises(UnknownAsset) as told:
        batch["xxx"]
    with pytest.raises(UnknownAsset, match="ETH was not part"):
        batch["ETH"]

    assert told.value is error


@pytest.mark.parametrize(
    "body",
    [
        "<html>Welcome to the hotel</html>",
        "[]",
        "{}",
        "[" * 100_000,
        PLAIN.replace("65012.30", '"high"'),
        PLAIN.replace("65012.30", "-1"),
        PLAIN.replace("65012.30", "1E9999999"),
        PLAIN.replace("65012.30", "NaN"),
        PLAIN.replace("2026-09-21T14:13:19.500Z", "yesterday"),
        PLAIN.replace("2026-09-21T14:13:19.500Z", "2026-09-21T14:13:19"),
        PLAIN.replace('"source":"coinbase-ws",', ""),
    ],
)
async def test_what_is_no_price_is_never_taken_for_one(
    client: EitherClient,
    server: PriceServer,
    body: str,
) -> None:
    server.answers = [Answer(body)]

    with pytest.raises(AnswerUnreadable) as told:
        await client.price("BTC")

    assert told.value.code == "unreadable_answer"


@pytest.mark.parametrize("body", ["{}", '{"prices":{}}', '{"prices":["BTC"]}'])
async def test_what_is_no_batch_is_never_taken_for_one(
    client: EitherClient,
    server: PriceServer,
    body: str,
) -> None:
    server.answers = [Answer(body)]

    with pytest.raises(AnswerUnreadable):
        await client.prices(["BTC"])


async def test_a_redirect_is_not_followed(
    client: EitherClient,
    server: PriceServer,
) -> None:
    elsewhere = (("Location", "http://127.0.0.1:9/price"),)
    server.answers = [Answer("", 302, elsewhere)]

    with pytest.raises(AnswerUnreadable):
        await client.price("BTC")

    assert len(server.heard) == 1
