from __future__ import annotations

import asyncio

from trinity_beast.toolkit.http.health import Health
from trinity_beast.toolkit.work import DatabaseAway


async def fine() -> None:
    return None


async def slow() -> None:
    await asyncio.Event().wait()


async def away() -> str | None:
    raise DatabaseAway(reason="ConnectionRefusedError")


async def broken() -> str | None:
    message = "postgresql://user:secret@10.0.0.7"
    raise ValueError(message)


async def test_all_working_is_ready() -> None:
    assert await Health({"prices": fine}, frozenset({"prices"})).look() == (
        200,
        {"status": "ready", "capabilities": {"prices": {"status": "ready"}}},
    )


async def test_what_is_not_required_only_degrades() -> None:
    health = Health(
        {"prices": fine, "database": away, "queue": slow, "feeds": broken},
        frozenset({"prices"}),
        timeout_s=0.01,
    )

    assert await health.look() == (
        200,
        {
            "status": "degraded",
            "capabilities": {
                "prices": {"status": "ready"},
                "database": {
                    "status": "degraded",
                    "reason": (
                        "The database cannot be reached right now; try again shortly."
                    ),
                },
                "queue": {"status": "degraded", "reason": "no answer within 0.01 s"},
                "feeds": {"status": "degraded", "reason": "the check itself failed"},
            },
        },
    )


async def test_without_what_is_required_it_is_unready() -> None:
    async def none_live() -> str | None:
        return "no live price"

    assert await Health({"prices": none_live}, frozenset({"prices"})).look() == (
        503,
        {
            "status": "unready",
            "capabilities": {
                "prices": {"status": "degraded", "reason": "no live price"},
            },
        },
    )
