"""A UDP listener answers by the batch, or one at a time, over real sockets."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager

import pytest

from support.datagrams import Caller
from support.until import until
from trinity_beast.toolkit.http.server import CannotListen, PortInUse
from trinity_beast.toolkit.udp import (
    MOST_BYTES,
    Batch,
    Sender,
    UdpServer,
    UdpState,
    WayBack,
    address_text,
    has_batches,
    sender_of,
)

BOTH = pytest.mark.parametrize("batched", [True, False], ids=["batched", "plain"])


class Echo:
    """Sends everything back, but for what asks for something else."""

    def __init__(self) -> None:
        self.senders: list[Sender] = []
        self.batches: list[int] = []
        self.waiting: list[tuple[bytes, WayBack]] = []

    def answers_to(self, batch: Batch) -> Sequence[bytes | None]:
        self.senders += batch.senders
        self.batches.append(len(batch.datagrams))
        return [self._answer(batch, n) for n in range(len(batch.datagrams))]

    async def finish(self) -> None:
        for datagram, way_back in self.waiting:
            way_back(b"late " + datagram)

    def _answer(self, batch: Batch, index: int) -> bytes | None:
        datagram = batch.datagrams[index]
        if datagram == b"silence":
            return None
        if datagram == b"break":
            raise RuntimeError(datagram)
        if datagram == b"later":
            self.waiting.append((datagram, batch.way_back(index)))
            return None
        if datagram.startswith(b"measure"):
            return str(len(datagram)).encode()
        return datagram


@asynccontextmanager
async def serving(
    handler: Echo,
    *,
    host: str = "127.0.0.1",
    batched: bool = True,
) -> AsyncGenerator[UdpServer]:
    server = UdpServer(handler, host, 0, variable="PORT", batched=batched)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def test_this_system_moves_datagrams_by_the_batch() -> None:
    assert has_batches()


@BOTH
async def test_each_sender_gets_the_own_answer(*, batched: bool) -> None:
    async with serving(Echo(), batched=batched) as server:
        callers = [Caller(server.port) for _ in range(5)]
        for number, caller in enumerate(callers):
            caller.send(b"hello %d" % number)
        heard = [await caller.hear() for caller in callers]
        for caller in callers:
            caller.close()

    assert heard == [[b"hello %d" % number] for number in range(5)]
    assert server.state == UdpState(batched=batched, unsent=0)


@BOTH
async def test_many_datagrams_come_back_in_order(*, batched: bool) -> None:
    handler = Echo()
    datagrams = [b"%d" % number * 40 for number in range(200)]
    async with serving(handler, batched=batched) as server:
        caller = Caller(server.port)
        caller.send(*datagrams)
        assert await caller.hear(200) == datagrams
        caller.close()

    assert max(handler.batches) == (64 if batched else 1)
    assert {address_text(sender) for sender in handler.senders} == {"127.0.0.1"}


@BOTH
async def test_who_gets_no_answer_does_not_shift_those_of_others(
    *,
    batched: bool,
) -> None:
    async with serving(Echo(), batched=batched) as server:
        callers = [Caller(server.port) for _ in range(4)]
        for caller, text in zip(callers, (b"a", b"silence", b"c", b""), strict=True):
            caller.send(text)
        heard = [await callers[0].hear(), await callers[2].hear()]
        callers[0].send(b"again")
        heard.append(await callers[0].hear())
        silent = [caller.hears_nothing() for caller in callers]
        for caller in callers:
            caller.close()

    assert heard == [[b"a"], [b"c"], [b"again"]]
    assert silent == [True] * 4


@BOTH
async def test_nobody_is_answered_when_all_are_silent(*, batched: bool) -> None:
    async with serving(Echo(), batched=batched) as server:
        caller = Caller(server.port)
        caller.send(b"silence", b"silence", b"end")
        assert await caller.hear() == [b"end"]
        caller.close()


@BOTH
async def test_a_long_datagram_is_cut_so_that_it_can_be_told(*, batched: bool) -> None:
    async with serving(Echo(), batched=batched) as server:
        caller = Caller(server.port)
        caller.send(b"measure".ljust(MOST_BYTES), b"measure".ljust(9_000))
        exact, cut = [int(text) for text in await caller.hear(2)]
        caller.close()

    assert exact == MOST_BYTES
    assert MOST_BYTES < cut < MOST_BYTES + 64


@BOTH
async def test_a_handler_that_fails_drops_its_batch_and_goes_on(
    *,
    batched: bool,
) -> None:
    handler = Echo()
    async with serving(handler, batched=batched) as server:
        caller = Caller(server.port)
        caller.send(b"break")
        await until(lambda: handler.batches == [1])
        caller.send(b"on")
        assert await caller.hear() == [b"on"]
        caller.close()


@BOTH
async def test_what_was_read_is_answered_before_the_end(*, batched: bool) -> None:
    server = UdpServer(Echo(), "127.0.0.1", 0, variable="PORT", batched=batched)
    await server.start()
    caller = Caller(server.port)
    caller.send(b"later", b"1", b"2", b"3")

    await server.stop()
    await server.stop()

    assert sorted(await caller.hear(4)) == [b"1", b"2", b"3", b"late later"]
    caller.close()


async def test_an_ipv6_sender_is_answered_too() -> None:
    handler = Echo()
    async with serving(handler, host="::1") as server:
        caller = Caller(server.port, "::1")
        caller.send(b"six", b"later")
        assert await caller.hear() == [b"six"]
        await server.stop()
        assert await caller.hear() == [b"late later"]
        caller.close()

    assert [address_text(sender) for sender in handler.senders] == ["::1", "::1"]


async def test_a_name_may_stand_for_several_addresses() -> None:
    async with serving(Echo(), host="localhost") as server:
        caller = Caller(server.port)
        caller.send(b"by name")
        assert await caller.hear() == [b"by name"]
        caller.close()


async def test_a_port_in_use_is_named() -> None:
    async with serving(Echo()) as server:
        other = UdpServer(Echo(), "127.0.0.1", server.port, variable="PORT")
        with pytest.raises(PortInUse, match="PORT"):
            await other.start()
        await other.stop()


async def test_an_address_of_others_cannot_be_listened_on() -> None:
    server = UdpServer(Echo(), "192.0.2.1", 0, variable="PORT")

    with pytest.raises(CannotListen):
        await server.start()


async def test_several_may_share_a_port() -> None:
    first = UdpServer(Echo(), "127.0.0.1", 0, variable="PORT", reuse_port=True)
    await first.start()
    second = UdpServer(Echo(), "127.0.0.1", first.port, variable="P", reuse_port=True)
    await second.start()
    callers = [Caller(first.port) for _ in range(16)]
    for caller in callers:
        caller.send(b"shared")
    heard = [await caller.hear() for caller in callers]
    for caller in callers:
        caller.close()
    await first.stop()
    await second.stop()

    assert heard == [[b"shared"]] * 16


async def test_what_cannot_be_sent_is_counted() -> None:
    class Large(Echo):
        def answers_to(self, batch: Batch) -> Sequence[bytes | None]:
            self.waiting.append((b"x" * 70_000, batch.way_back(0)))
            return [b"x" * 70_000 for _ in batch.datagrams]

    server = UdpServer(Large(), "127.0.0.1", 0, variable="PORT")
    await server.start()
    caller = Caller(server.port)
    caller.send(b"too much")
    await server.stop()
    caller.close()

    assert server.state == UdpState(batched=True, unsent=2)


def test_addresses_read_as_people_write_them() -> None:
    texts = ["192.0.2.7", "::1", "2001:db8::7"]

    assert [address_text(sender_of(text)) for text in texts] == texts
    assert sender_of("fe80::1%eth0") == socket.inet_pton(socket.AF_INET6, "fe80::1")
