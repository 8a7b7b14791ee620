"""Datagrams to a whole node: real keys, real records."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from support.datagrams import Caller
from trinity_beast.apps.node import prices_are_there
from trinity_beast.features.keys import hash_of
from trinity_beast.features.prices.udp_wire import mac_of
from trinity_beast.toolkit.http.server import PortInUse
from trinity_beast.toolkit.udp import Batch, UdpServer

if TYPE_CHECKING:
    from support.nodes import OpenNode
    from trinity_beast.apps.settings import Settings
    from trinity_beast.features.keys import KeyService
    from trinity_beast.toolkit.work import UnitOfWork


class Nobody:
    """Answers nothing."""

    def answers_to(self, batch: Batch) -> list[bytes | None]:
        return [None] * len(batch.datagrams)

    async def finish(self) -> None: ...


def signed(secret: str, nonce: int, assets: str) -> bytes:
    key_hash, now_ms = hash_of(secret), time.time_ns() // 1_000_000  # noqa: TID251 - a client's clock
    line = f"TB1 {key_hash[:16]} {now_ms} {nonce:016x} {assets}".encode()
    return line + b" " + mac_of(line, key_hash)


async def test_a_node_answers_datagrams_and_records_them(
    node: OpenNode,
    settings: Settings,
    keys: KeyService,
    seeded_work: UnitOfWork,
) -> None:
    issued = await keys.create("dev@example.org", "unlimited")
    async with node() as opened:
        await prices_are_there(opened)
        caller = Caller(settings.listen.lpo_udp_port)
        answers: list[dict[str, object]] = []
        for datagram in (
            f"{issued.secret} BTC".encode(),
            f"{issued.secret} BTC,ETH my-id".encode(),
            signed(issued.secret, 1, "ETH"),
            f"{issued.secret[:-1]}- BTC".encode(),
        ):
            caller.send(datagram)
            answers += map(json.loads, await caller.hear())
        # The last ones are still on their way when the node is told to end.
        caller.send(*[f"{issued.secret} BTC r{n}".encode() for n in range(50)])
    late = [json.loads(each)["id"] for each in await caller.hear(50)]
    caller.close()

    async with seeded_work.begin() as connection:
        statement = text("SELECT query_type, ip_address, status FROM usage_logs")
        rows = [tuple(row) for row in await connection.execute(statement)]
    assert answers[0]["asset"] == "BTC"
    assert list(answers[1]) == ["id", "prices"]
    assert answers[2]["asset"] == "ETH"
    assert answers[3] == {"error": "unknown_key"}
    assert late == [f"r{n}" for n in range(50)]
    assert sorted(rows) == [
        ("udp-multi-price", "127.0.0.1", "success"),
        *[("udp-price", "127.0.0.1", "success")] * 52,
    ]


async def test_a_udp_port_in_use_is_named(
    node: OpenNode,
    settings: Settings,
) -> None:
    port = settings.listen.lpo_udp_port
    other = UdpServer(Nobody(), "127.0.0.1", port, variable="OTHER")
    await other.start()

    with pytest.raises(PortInUse, match="LPO_UDP_PORT"):
        async with node("feeds", "lpo"):
            pass
    await other.stop()
