"""A wire to a server that a test can cut, freeze and mend."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit


class Relay:
    """Carries bytes from a TCP port of loopback to a server, as long as it may."""

    def __init__(self, host: str, port: int, unix_path: str = "") -> None:
        self._target = (host, port)
        self._unix_path = unix_path
        self._server: asyncio.Server | None = None
        self._carriers: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0

    @classmethod
    def to_valkey(cls, url: str) -> Self:
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or 6379)

    async def mend(self) -> None:
        """Take connections, on the same port as before."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def freeze(self) -> None:
        """Keep what is open open, and let nothing through any more."""
        for carrier in self._carriers:
            carrier.cancel()

    async def cut(self) -> None:
        """Close everything and refuse."""
        if self._server is not None:
            self._server.close()
        self.freeze()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._carriers, return_exceptions=True)
        self._writers.clear()

    async def _take(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if self._unix_path:
            far = await asyncio.open_unix_connection(self._unix_path)
        else:
            far = await asyncio.open_connection(*self._target)
        self._writers |= {writer, far[1]}
        for source, sink in ((reader, far[1]), (far[0], writer)):
            carrier = asyncio.create_task(_carry(source, sink))
            self._carriers.add(carrier)
            carrier.add_done_callback(self._carriers.discard)


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
