"""The whole way on a real database: a key that is issued, used and revoked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import text

from support.lpo import bearer
from trinity_beast.features.catalogue import Catalogue, CatalogueService
from trinity_beast.features.keys import KeyRing, KeyService
from trinity_beast.features.parameters import Parameters, ParameterService
from trinity_beast.ports.changes import Change

if TYPE_CHECKING:
    from support.lpo import World
    from trinity_beast.toolkit.work import UnitOfWork


async def test_a_key_is_issued_used_and_revoked(
    world: World,
    seeded_work: UnitOfWork,
) -> None:
    service = KeyService(seeded_work, world.clock, world.randomness)
    parts = replace(
        world.parts,
        keys=KeyRing(service, world.clock),
        catalogue=Catalogue(CatalogueService(seeded_work).load),
        parameters=Parameters(ParameterService(seeded_work).load),
    )
    await parts.catalogue.refresh()
    await parts.parameters.refresh()
    issued = await service.create("ada@example.org", "free")
    world.trade("BTC", "65000.10")

    async with world.client(parts) as client:
        good = await client.get("/price?asset=BTC", headers=bearer(issued.secret))
        assets = await client.get("/assets")
        await service.revoke(str(issued.key.id))
        await parts.keys.apply(
            Change("api_keys", "UPDATE", str(issued.key.id), issued.key.key_hash),
        )
        refused = await client.get("/price?asset=BTC", headers=bearer(issued.secret))

    assert good.status_code == 200
    assert good.json()["price"] == 65000.10
    assert (
        good.headers["ratelimit-policy"] == '"second";q=1;w=1, "month";q=1000;w=2592000'
    )
    assert assets.json()["count"] == 150
    assert (refused.status_code, refused.json()["error"]["code"]) == (
        403,
        "revoked_key",
    )
    assert [(record.key_id, record.error) for record in world.records()] == [
        (str(issued.key.id), None),
        (str(issued.key.id), "revoked_key"),
    ]


async def test_an_operators_change_of_a_parameter_counts(
    world: World,
    seeded_work: UnitOfWork,
) -> None:
    parts = replace(
        world.parts,
        parameters=Parameters(ParameterService(seeded_work).load),
    )
    statement = text(
        "INSERT INTO application_parameters (key, value)"
        " VALUES ('feed_silence_seconds', '5')"
        " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    )
    key = world.new_key()
    world.trade("BTC", "1")
    world.clock.advance(10)

    async with world.client(parts) as client:
        before = await client.get("/price?asset=BTC", headers=bearer(key))
        async with seeded_work.begin() as connection:
            await connection.execute(statement)
        await parts.parameters.refresh()
        after = await client.get("/price?asset=BTC", headers=bearer(key))

    assert (before.status_code, after.status_code) == (200, 503)
