"""What everybody may ask: the catalogue, the status, the health, the description."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import jsonschema_rs
import pytest

from support.lpo import SNAPSHOT, bearer
from trinity_beast.features.catalogue import CatalogueSnapshot

if TYPE_CHECKING:
    import httpx

    from support.lpo import World


async def test_exchanges(client: httpx.AsyncClient) -> None:
    answer = await client.get("/exchanges")

    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json() == {
        "count": 2,
        "exchanges": [
            {
                "exchange_name": "coinbase",
                "display_name": "Coinbase",
                "source_tag": "coinbase-ws",
                "assets": ["BTC", "ETH", "1INCH"],
            },
            {
                "exchange_name": "kraken",
                "display_name": "Kraken",
                "source_tag": "kraken-ws",
                "assets": ["DOGE"],
            },
        ],
    }


async def test_assets(client: httpx.AsyncClient) -> None:
    answer = await client.get("/assets")

    assert [asset["asset"] for asset in answer.json()["assets"]] == [
        "1INCH",
        "BTC",
        "DOGE",
        "ETH",
    ]
    assert answer.json()["count"] == 4
    assert answer.json()["assets"][2] == {
        "asset": "DOGE",
        "category": "Meme",
        "exchange_name": "kraken",
        "source_tag": "kraken-ws",
    }


async def test_categories(client: httpx.AsyncClient) -> None:
    answer = await client.get("/asset-categories")

    assert answer.json() == {
        "count": 2,
        "categories": [
            {
                "category_name": "Layer 1",
                "description": "",
                "display_order": 10,
                "assets": ["BTC", "ETH"],
            },
            {
                "category_name": "Meme",
                "description": "Fun.",
                "display_order": 20,
                "assets": ["DOGE"],
            },
        ],
    }


async def test_a_changed_catalogue_counts_from_the_next_request(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    rows = tuple(row for row in SNAPSHOT.assets if row.asset != "BTC")
    key = world.new_key()
    world.trade("BTC", "1")

    before = await client.get("/price?asset=BTC", headers=bearer(key))
    world.parts.catalogue.replace(replace(SNAPSHOT, assets=rows))
    after = await client.get("/price?asset=BTC", headers=bearer(key))

    assert (before.status_code, after.status_code) == (200, 404)
    assert (await client.get("/assets")).json()["count"] == 3


@pytest.mark.parametrize("path", ["/assets", "/status", "/health/live"])
async def test_browsers_of_other_sites_may_read_the_public_paths(
    client: httpx.AsyncClient,
    path: str,
) -> None:
    answer = await client.options(path)

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert (await client.head(path)).status_code == 200


async def test_keyed_answers_are_for_no_other_site(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/price?asset=BTC", headers=bearer(world.new_key()))

    assert "access-control-allow-origin" not in answer.headers


async def test_the_status(world: World) -> None:
    world.trade("BTC", "1")
    world.trade("DOGE", "0.1", source="kraken-ws")
    world.clock.advance(31)
    world.trade("ETH", "2", snapshot=True)
    world.board.heard("coinbase-ws", world.clock.now_ns())
    world.board.write_report(b'{"exchanges":{"coinbase":{"state":"live"}}}')
    world.parts.parameters.replace({"cache_ttl": "soon"})
    world.clock.advance(0.25)
    parts = replace(world.parts, usage_stats=lambda: {"queue": "reachable"})

    async with world.client(parts) as client:
        answer = await client.get("/status")

    assert answer.json() == {
        "service": "LPO",
        "version": "1.2.3",
        "node": "BeastMain",
        "region": "us-east-2",
        "time": "2026-09-21T14:13:51.250Z",
        "started_at": "2026-09-21T14:13:20.000Z",
        "uptime_s": 31,
        "prices": {
            "count": 4,
            "live": 1,
            "snapshot": 1,
            "silent": 1,
            "none": 1,
            "age_ms": {"p50": 31_250, "p99": 31_250},
            "assets": {
                "1INCH": {"state": "none", "source": None, "age_ms": None},
                "BTC": {"state": "live", "source": "coinbase-ws", "age_ms": 31_250},
                "DOGE": {"state": "silent", "source": "kraken-ws", "age_ms": 31_250},
                "ETH": {"state": "snapshot", "source": "coinbase-ws", "age_ms": 250},
            },
        },
        "feeds": {"exchanges": {"coinbase": {"state": "live"}}},
        "usage": {"queue": "reachable"},
        "sources": None,
        "limits": {"mode": "local", "processes": 1},
        "parameters_refused": ["cache_ttl"],
    }


async def test_the_status_before_anything_is_there(world: World) -> None:
    world.parts.catalogue.replace(CatalogueSnapshot())

    async with world.client() as client:
        body = (await client.get("/status")).json()

    assert (body["feeds"], body["usage"]) == (None, {})
    assert body["prices"] == {
        "count": 0,
        "live": 0,
        "snapshot": 0,
        "silent": 0,
        "none": 0,
        "age_ms": {"p50": None, "p99": None},
        "assets": {},
    }


async def test_alive(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health/live")).json() == {"status": "live"}


async def test_ready_once_one_price_can_be_served(
    world: World,
    client: httpx.AsyncClient,
) -> None:
    before = await client.get("/health/ready")
    world.trade("BTC", "1")
    ready = await client.get("/health/ready")
    world.clock.advance(31)
    after = await client.get("/health/ready")

    unready = {
        "status": "unready",
        "capabilities": {
            "prices": {"status": "degraded", "reason": "no asset has a live price"},
        },
    }
    assert (before.status_code, before.json()) == (503, unready)
    assert (after.status_code, after.json()) == (503, unready)
    assert (ready.status_code, ready.json()) == (
        200,
        {"status": "ready", "capabilities": {"prices": {"status": "ready"}}},
    )


async def test_no_catalogue_is_not_ready(world: World) -> None:
    world.parts.catalogue.replace(CatalogueSnapshot())

    async with world.client() as client:
        answer = await client.get("/health/ready")

    assert answer.json()["capabilities"] == {
        "prices": {"status": "degraded", "reason": "no asset is enabled"},
    }


async def test_what_is_away_degrades_and_stopping_is_unready(world: World) -> None:
    reasons: dict[str, str | None] = {"database": "away", "accepting": None}

    async def database() -> str | None:
        return reasons["database"]

    async def accepting() -> str | None:
        return reasons["accepting"]

    probes = {"database": database, "accepting": accepting}
    world.trade("BTC", "1")

    async with world.client(replace(world.parts, health_probes=probes)) as client:
        degraded = await client.get("/health/ready")
        reasons["accepting"] = "stopping"
        stopping = await client.get("/health/ready")

    assert (degraded.status_code, degraded.json()["status"]) == (200, "degraded")
    assert (stopping.status_code, stopping.json()["status"]) == (503, "unready")
    assert stopping.json()["capabilities"] == {
        "prices": {"status": "ready"},
        "database": {"status": "degraded", "reason": "away"},
        "accepting": {"status": "degraded", "reason": "stopping"},
    }


async def test_the_description_names_all_paths_with_their_errors(
    client: httpx.AsyncClient,
) -> None:
    document = (await client.get("/openapi.json")).json()

    described = {
        (method.upper(), path): sorted(operation["responses"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    keyed = ["200", "400", "401", "403", "429", "500", "503"]
    public = ["200", "500"]
    assert document["openapi"].startswith("3.1.")
    assert described == {
        ("GET", "/price"): sorted([*keyed, "404"]),
        ("GET", "/prices"): sorted([*keyed, "413"]),
        ("POST", "/prices"): sorted([*keyed, "413"]),
        ("GET", "/account/key"): keyed,
        ("GET", "/account/limits"): keyed,
        ("GET", "/asset-categories"): public,
        ("GET", "/exchanges"): public,
        ("GET", "/assets"): public,
        ("GET", "/status"): public,
        ("GET", "/health/live"): public,
        ("GET", "/health/ready"): ["200", "500", "503"],
    }


async def test_the_description_is_whole(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    document = answer.json()

    references = set(re.findall(r'"\$ref":"([^"]+)"', answer.text))
    names = [
        operation["operationId"]
        for methods in document["paths"].values()
        for operation in methods.values()
    ]
    assert len(references) > 20
    assert all(_resolve(document, reference) for reference in references)
    assert len(names) == len(set(names))
    assert document["paths"]["/price"]["get"]["security"] == [
        {"bearer": []},
        {"api_key": []},
    ]


@pytest.mark.parametrize(
    "path",
    [
        "/price?asset=BTC",
        "/price?asset=BTC&format=tbc",
        "/price?asset=XXX",
        "/price?asset=XXX&format=tbc",
        "/prices?assets=BTC,XXX",
        "/prices?assets=BTC,XXX&format=tbc",
        "/account/key",
        "/account/key?format=tbc",
        "/account/limits",
        "/account/limits?format=tbc",
        "/asset-categories",
        "/exchanges",
        "/assets",
        "/status",
        "/health/live",
        "/health/ready",
    ],
)
async def test_answers_are_as_described(
    world: World,
    client: httpx.AsyncClient,
    path: str,
) -> None:
    document = (await client.get("/openapi.json")).json()
    world.trade("BTC", "65000.10")

    answer = await client.get(path, headers=bearer(world.new_key()))

    operation = document["paths"][path.partition("?")[0]]["get"]
    described = operation["responses"][str(answer.status_code)]
    media = answer.headers["content-type"].partition(";")[0]
    schema = {
        **described["content"][media]["schema"],
        "components": document["components"],
    }
    jsonschema_rs.validate(schema, json.loads(answer.content))
    for name in described["headers"].keys() - {"X-Grace-Until"}:
        assert name in answer.headers


async def test_the_reference_shows_all_paths(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text

    for said in (
        "<code>GET /price</code>",
        "<code>POST /prices</code>",
        "<h2>Catalogue</h2>",
        "<code>max_age_ms</code>",
        "&quot;asset&quot;: &quot;BTC&quot;",
        '<a href="/errors/price_stale"><code>price_stale</code></a>',
    ):
        assert said in page


def _resolve(document: object, reference: str) -> object:
    for name in reference.removeprefix("#/").split("/"):
        document = cast("dict[str, object]", document)[name]
    return document
