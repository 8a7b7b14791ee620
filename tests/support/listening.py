"""A client of a local WebSocket server that hears without waiting by the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from websockets.asyncio.client import ClientConnection, connect

_TOO_LONG_S = 10.0
_TURNS = 5


@asynccontextmanager
async def listening(url: str) -> AsyncGenerator[ClientConnection]:
    """Connect, with room for every frame that is ever sent."""
    async with connect(
        url,
        compression=None,
        ping_interval=None,
        max_queue=None,
        max_size=None,
        close_timeout=1,
    ) as client:
        yield client


async def hear(client: ClientConnection, count: int) -> list[str]:
    """Return the next frames, as many as asked."""
    async with asyncio.timeout(_TOO_LONG_S):
        return [str(await client.recv()) for _ in range(count)]


async def hear_until(
    client: ClientConnection,
    enough: Callable[[str], bool],
) -> list[str]:
    """Return the next frames, up to the first that is enough."""
    frames = await hear(client, 1)
    while not enough(frames[-1]):
        frames += await hear(client, 1)
    return frames


async def hear_so_far(client: ClientConnection) -> list[str]:
    """Return the frames that the server had sent by now: its pong comes after them."""
    frames: list[str] = []
    async with asyncio.timeout(_TOO_LONG_S):
        await (await client.ping())
        while True:
            frame = asyncio.ensure_future(client.recv())
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            if not frame.done():
                frame.cancel()
                await asyncio.gather(frame, return_exceptions=True)
                return frames
            frames.append(str(frame.result()))


async def closed(client: ClientConnection) -> tuple[int | None, str | None]:
    """Return code and reason of the close that the server makes."""
    async with asyncio.timeout(_TOO_LONG_S):
        await client.wait_closed()
    return client.close_code, client.close_reason
