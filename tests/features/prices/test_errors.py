"""Every documented code that a price listener can answer, through the whole app."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from structlog.testing import capture_logs

from support.lpo import bearer
from trinity_beast.features.keys import new_secret
from trinity_beast.toolkit.http.problems import CODES

if TYPE_CHECKING:
    from support.lpo import World


AGE_RULE = (
    "The parameter max_age_ms is not valid: it must be a whole number from 0 to"
    " 1000000000000."
)
KEY_RULE = (
    "A key must not stand in the URL; send it as 'Authorization: Bearer' or"
    " 'X-API-Key'."
)


def problem(answer: httpx.Response, code: str, detail: str) -> dict[str, object]:
    return {
        "type": f"/errors/{code}",
        "title": CODES[code].title,
        "status": CODES[code].status,
        "detail": detail,
        "instance": answer.headers["x-request-id"],
        "code": code,
    }


def tbc(endpoint: str, code: str, message: str) -> dict[str, object]:
    status = CODES[code].status
    return {
        "status": f"❌ [LPO] [us-east-2] [BeastMain] [{endpoint}] [{status}]",
        "status_code": status,
        "endpoint": endpoint,
        "error": {"code": code, "message": message},
    }


async def test_no_key(client: httpx.AsyncClient) -> None:
    answer = await client.get("/price?asset=BTC&format=tbc")

    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == 'Bearer realm="trinity-beast"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == problem(
        answer,
        "missing_key",
        "Send your key in the header 'Authorization: Bearer KEY' or 'X-API-Key: KEY'.",
    )


@pytest.mark.parametrize("garbled", [True, False])
async def test_a_key_that_nobody_has(
    world: World,
    client: httpx.AsyncClient,
    *,
    garbled: bool,
) -> None:
    secret = new_secret(world.randomness)

    answer = await client.get(
        "/price?asset=BTC",
        headers=bearer(secret[:-1] + "!" if garbled else secret),
    )

    assert answer.status_code == 401
    assert answer.json() == problem(
        answer,
        "unknown_key",
        "This key is not known; check it for typing mistakes.",
    )


@pytest.mark.parametrize("path", ["/price?asset=BTC", "/account/key"])
async def test_a_revoked_key(
    world: World,
    client: httpx.AsyncClient,
    path: str,
) -> None:
    plain = world.new_key(revoked=True)
    wordy = world.new_key(revoked=True, response_format="tbc")
    told = "This key has been revoked."

    as_plain = await client.get(path, headers=bearer(plain))
    as_tbc = await client.get(path, headers=bearer(wordy))

    assert (as_plain.status_code, as_tbc.status_code) == (403, 403)
    assert as_plain.json() == problem(as_plain, "revoked_key", told)
    assert as_tbc.json() == tbc(path.partition("?")[0], "revoked_key", told)


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/price", "Name at least one asset, such as BTC."),
        ("/price?asset=", "Name at least one asset, such as BTC."),
        ("/price?asset=BTC&asset=ETH", "The parameter asset is given more than once."),
        (
            "/price?asset=%FF",
            "The query string is not valid percent-encoded UTF-8.",
        ),
        (
            "/price?asset=BTC&format=xml",
            "The parameter format is not valid: it must be tbc or plain.",
        ),
        (
            "/price?asset=BTC&max_age_ms=-1",
            AGE_RULE,
        ),
        (
            "/price?asset=BTC&max_age_ms=NaN",
            AGE_RULE,
        ),
        (
            "/price?asset=BTC&api_key=tb_live_x",
            KEY_RULE,
        ),
        ("/prices", "Name at least one asset, such as BTC."),
        ("/prices?assets=", "Name at least one asset, such as BTC."),
        ("/prices?assets=%20,,", "Name at least one asset, such as BTC."),
    ],
)
async def test_a_query_that_cannot_be_used(
    world: World,
    client: httpx.AsyncClient,
    path: str,
    detail: str,
) -> None:
    answer = await client.get(path, headers=bearer(world.new_key()))

    assert answer.status_code == 400
    assert answer.json() == problem(answer, "invalid_request", detail)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "The body is not a valid JSON object in UTF-8."),
        (b"\xff", "The body is not a valid JSON object in UTF-8."),
        (b'["BTC"]', "The body is not a valid JSON object in UTF-8."),
        (b'{"assets":[NaN]}', "The body is not a valid JSON object in UTF-8."),
        (b"{}", "Name at least one asset, such as BTC."),
        (b'{"assets":[]}', "Name at least one asset, such as BTC."),
        (
            b'{"assets":["BTC",1]}',
            "The parameter assets is not valid: it must be a list of names.",
        ),
        (
            b'{"assets":{"BTC":1}}',
            "The parameter assets is not valid: it must be a list of names.",
        ),
        (
            b'{"assets":["BTC"],"assets":["ETH"]}',
            "The parameter assets is given more than once.",
        ),
        (
            b'{"assets":["BTC"],"max_age_ms":1.5}',
            AGE_RULE,
        ),
        (
            b'{"assets":["BTC"],"max_age_ms":true}',
            AGE_RULE,
        ),
        (
            b'{"assets":["BTC"],"format":"tbc"}',
            "The parameter format is given more than once.",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, bytes) else "",
)
async def test_a_body_that_cannot_be_used(
    world: World,
    client: httpx.AsyncClient,
    body: bytes,
    detail: str,
) -> None:
    answer = await client.post(
        "/prices?format=plain",
        content=body,
        headers=bearer(world.new_key(response_format="tbc")),
    )

    assert answer.status_code == 400
    assert answer.json() == problem(answer, "invalid_request", detail)


async def test_a_format_that_is_no_text(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    body = {"assets": ["BTC"], "format": ["tbc"]}

    answer = await client.post("/prices", json=body, headers=bearer(world.new_key()))

    assert answer.json() == problem(
        answer,
        "invalid_request",
        "The parameter format is not valid: it must be tbc or plain.",
    )


async def test_a_form_is_not_a_body(world: World, client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/prices",
        data={"assets": "BTC"},
        headers=bearer(world.new_key()),
    )

    assert answer.json() == problem(
        answer,
        "invalid_request",
        "The body must be sent as application/json.",
    )


async def test_two_keys_that_differ(world: World, client: httpx.AsyncClient) -> None:
    headers = bearer(world.new_key()) | {"X-API-Key": world.new_key()}

    answer = await client.get("/price?asset=BTC", headers=headers)

    assert answer.status_code == 400
    assert answer.json() == problem(
        answer,
        "invalid_request",
        "The headers Authorization and X-API-Key hold different keys.",
    )
    assert world.records() == []


async def test_a_key_in_the_url_alone(world: World, client: httpx.AsyncClient) -> None:
    answer = await client.get("/price", params={"asset": world.new_key()})

    assert answer.status_code == 400
    assert answer.json() == problem(
        answer,
        "invalid_request",
        KEY_RULE,
    )


async def test_31_assets(world: World, client: httpx.AsyncClient) -> None:
    key = world.new_key(response_format="tbc", burst_limit=100)
    thirty = [f"A{number}" for number in range(30)]

    enough = await client.post(
        "/prices",
        json={"assets": thirty + [name.lower() for name in thirty]},
        headers=bearer(key),
    )
    many = await client.post(
        "/prices",
        json={"assets": [*thirty, "A30"]},
        headers=bearer(key),
    )
    repeated = await client.get(
        "/prices",
        params={"assets": "A," * 201},
        headers=bearer(key),
    )

    told = "A request may name at most 30 different assets."
    assert (enough.status_code, enough.json()["count"]) == (200, 30)
    assert (many.status_code, repeated.status_code) == (400, 400)
    assert many.json() == tbc("/prices", "too_many_assets", told)
    assert repeated.json() == tbc("/prices", "too_many_assets", told)


@pytest.mark.parametrize(
    ("asset", "shown"),
    [
        ("XXX", "XXX"),
        ("xxx", "XXX"),
        ("XRP", "XRP"),
        ("PEPE", "PEPE"),
        ("BTC,ETH", "BTC,ETH"),
        ("ß", "\\xdf"),
        ("\u0131", "\\u0131"),
        ("A" * 21, "A" * 20),
        ('"}', '"}'),
    ],
)
async def test_an_asset_that_is_not_served(
    world: World,
    client: httpx.AsyncClient,
    asset: str,
    shown: str,
) -> None:
    answer = await client.get(
        "/price",
        params={"asset": asset},
        headers=bearer(world.new_key()),
    )

    assert answer.status_code == 404
    assert answer.json() == problem(
        answer,
        "unknown_asset",
        f"The asset {shown} is not served.",
    )


async def test_a_path_that_is_not_there(client: httpx.AsyncClient) -> None:
    answer = await client.get("/prize")

    assert answer.json() == problem(answer, "not_found", "There is nothing here.")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/price", "GET, HEAD"),
        ("OPTIONS", "/price", "GET, HEAD"),
        ("DELETE", "/prices", "GET, HEAD, POST"),
        ("PUT", "/account/key", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_not_taken(
    world: World,
    client: httpx.AsyncClient,
    method: str,
    path: str,
    allow: str,
) -> None:
    key = world.new_key(response_format="tbc")

    answer = await client.request(method, path, headers=bearer(key))
    nobody = await client.request(method, path)

    assert answer.status_code == 405
    assert answer.headers["allow"] == allow
    assert answer.json() == tbc(path, "method_not_allowed", f"This path takes {allow}.")
    assert nobody.status_code == 401


@pytest.mark.parametrize("path", ["/status", "/assets", "/health/ready"])
async def test_a_method_that_a_public_path_does_not_take(
    client: httpx.AsyncClient,
    path: str,
) -> None:
    answer = await client.post(path)

    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"
    assert answer.json() == problem(
        answer,
        "method_not_allowed",
        "This path takes GET, HEAD, OPTIONS.",
    )


async def test_a_body_that_is_too_large(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(response_format="tbc")

    answer = await client.post("/prices", content=b" " * 65_537, headers=bearer(key))

    assert answer.status_code == 413
    assert answer.json() == tbc(
        "/prices",
        "payload_too_large",
        "The request is too large; at most 65536 bytes are read.",
    )


@pytest.mark.parametrize("response_format", ["plain", "tbc"])
async def test_an_empty_bucket(
    world: World,
    client: httpx.AsyncClient,
    response_format: str,
) -> None:
    key = world.new_key(burst_limit=1, response_format=response_format)
    world.trade("BTC", "1")

    await client.get("/price?asset=BTC", headers=bearer(key))
    answer = await client.get("/price?asset=BTC", headers=bearer(key))

    told = "Too many requests; ask again in 200 ms."
    body = (
        tbc("/price", "rate_limited", told)
        if response_format == "tbc"
        else problem(answer, "rate_limited", told)
    )
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["ratelimit"] == '"second";r=0;t=1, "month";r=49999;t=812800'
    assert answer.json() == body | {"retry_after_ms": 200}


async def test_a_month_that_is_used_up(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(query_limit=1)
    world.trade("BTC", "1")

    await client.get("/price?asset=XXX", headers=bearer(key))
    last = await client.get("/price?asset=BTC", headers=bearer(key))
    answer = await client.get("/price?asset=BTC", headers=bearer(key))

    assert last.status_code == 200
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "812800"
    assert answer.json() == {
        **problem(answer, "quota_exceeded", "All 1 requests of this month are used."),
        "retry_after_ms": 812_800_000,
    }


async def test_a_price_older_than_asked_for(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key()
    world.trade("BTC", "1")
    world.clock.advance(2)

    young = await client.get("/price?asset=BTC&max_age_ms=2000", headers=bearer(key))
    old = await client.get("/price?asset=BTC&max_age_ms=1999", headers=bearer(key))

    assert young.status_code == 200
    assert old.status_code == 503
    assert old.json() == problem(
        old,
        "price_stale",
        "The newest price of BTC is older than 1999 ms.",
    )


async def test_a_price_whose_feed_is_silent(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key(burst_limit=100)
    world.trade("BTC", "1")

    world.clock.advance(30)
    alive = await client.get("/price?asset=BTC", headers=bearer(key))
    world.clock.advance(1)
    silent = await client.get("/price?asset=BTC", headers=bearer(key))
    world.board.heard("coinbase-ws", world.clock.now_ns())
    again = await client.get("/price?asset=BTC", headers=bearer(key))

    assert (alive.status_code, again.status_code) == (200, 200)
    assert again.json()["cache_age_seconds"] == 31.0
    assert silent.status_code == 503
    assert silent.json() == problem(
        silent,
        "price_unavailable",
        "There is no live price of BTC right now.",
    )


async def test_a_young_price_outlives_its_feed(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    key = world.new_key()
    world.parts.parameters.replace({"feed_silence_seconds": "1", "cache_ttl": "9"})
    world.trade("BTC", "1")

    world.clock.advance(9)
    young = await client.get("/price?asset=BTC", headers=bearer(key))
    world.clock.advance(0.1)
    old = await client.get("/price?asset=BTC", headers=bearer(key))

    assert (young.status_code, old.status_code) == (200, 503)


async def test_no_price_yet(world: World, client: httpx.AsyncClient) -> None:
    answer = await client.get("/price?asset=ETH", headers=bearer(world.new_key()))

    assert answer.json() == problem(
        answer,
        "price_unavailable",
        "There is no live price of ETH right now.",
    )


async def test_the_database_away(world: World, client: httpx.AsyncClient) -> None:
    known, unseen = world.new_key(), world.new_key()
    world.trade("BTC", "1")
    await client.get("/price?asset=BTC", headers=bearer(known))
    world.database_is_away = True

    still = await client.get("/price?asset=BTC", headers=bearer(known))
    answer = await client.get("/price?asset=BTC", headers=bearer(unseen))

    assert still.status_code == 200
    assert answer.status_code == 503
    assert answer.json() == problem(
        answer,
        "overloaded",
        "The database cannot be reached right now; try again shortly.",
    )


@pytest.mark.parametrize("response_format", ["plain", "tbc"])
async def test_a_mistake_of_ours(
    world: World,
    client: httpx.AsyncClient,
    response_format: str,
) -> None:
    key = world.new_key(response_format=response_format, query_limit=1)
    world.trade("BTC", "1")
    world.parts.board.close()

    with capture_logs() as lines:
        answer = await client.get("/price?asset=BTC", headers=bearer(key))
        again = await client.get("/price?asset=BTC", headers=bearer(key))

    told = "Something went wrong on our side."
    assert answer.status_code == 500
    assert answer.json() == (
        tbc("/price", "internal", told)
        if response_format == "tbc"
        else problem(answer, "internal", told)
    )
    assert lines[0] == {
        "event": "request failed",
        "log_level": "error",
        "request_id": answer.headers["x-request-id"],
        "exc_info": True,
    }
    # It cost nothing of the month.
    assert again.status_code == 500


PATHS = st.sampled_from(["/price", "/prices", "/account/key", "/status", "/errors/x"])


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=PATHS, query=st.binary(max_size=40), named=st.booleans())
async def test_no_query_makes_us_fail(
    world: World,
    path: str,
    query: bytes,
    *,
    named: bool,
) -> None:
    key = world.new_key(tier="partner", rate_limit_qps=0, burst_limit=0)

    status = await world.ask_raw(path, (b"asset=" if named else b"") + query, key)

    assert status in {200, 400, 404}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["BTC", "tbc"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner)
    ),
    max_leaves=8,
)
QUESTIONS = st.fixed_dictionaries(
    {},
    optional={"assets": JSON, "format": JSON, "max_age_ms": JSON, "other": JSON},
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=QUESTIONS, junk=st.binary(max_size=20), torn=st.booleans())
async def test_no_body_makes_us_fail(
    world: World,
    question: dict[str, object],
    junk: bytes,
    *,
    torn: bool,
) -> None:
    key = world.new_key(tier="partner", rate_limit_qps=0, burst_limit=0)
    body = json.dumps(question).encode() + (junk if torn else b"")

    async with world.client() as client:
        answer = await client.post("/prices", content=body, headers=bearer(key))

    assert answer.status_code in {200, 400}
