"""A listener: one application on one TCP port, inside our own event loop.

uvicorn is a fine HTTP server and would like to be the process as well (signals, logs,
exit codes); here it only serves, and several of them may.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import cast

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.server import Server

from trinity_beast.kernel.errors import Conflict
from trinity_beast.toolkit.http.listening import BACKLOG, addresses_of, bind_all
from trinity_beast.toolkit.http.protocol import Manners, PoliteProtocol
from trinity_beast.toolkit.http.sockets import SOCKET_SETTINGS, PoliteSocket


class CannotListen(Conflict):
    """The address cannot be bound."""

    code = "cannot_listen"
    template = "Cannot listen on {host}:{port} ({reason}); set {variable} or HOST."


class PortInUse(CannotListen):
    """Somebody else listens on the port."""

    code = "port_in_use"
    template = "Port {port} on {host} is in use; set {variable} to another port."


class HttpServer:
    """Serves one application on one address.

    Args:
        app: The ASGI application; its lifespan is not run.
        host: Address or name to bind to.
        port: TCP port; 0 takes a free one, see `port`.
        manners: How its connections behave; one for each listener.
        variable: Environment variable that sets the port, for messages.
        reuse_port: Share the port with other processes (``SO_REUSEPORT``).
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        manners: Manners,
        variable: str,
        reuse_port: bool = False,
    ) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._manners = manners
        self._variable = variable
        self._reuse_port = reuse_port
        self._sockets: list[socket.socket] = []
        self._running: tuple[Server, asyncio.Task[None]] | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; before `start`, the one asked for."""
        return self._port

    async def start(self) -> None:
        """Bind and serve; when this returns, connections are accepted.

        Raises:
            PortInUse: Somebody else listens there.
            CannotListen: The address cannot be bound for another reason.
        """
        self._sockets = await self._bind()
        self._port = self._sockets[0].getsockname()[1]
        server = Server(self._config())
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup(sockets=self._sockets)
        ticks = asyncio.create_task(server.main_loop(), name=f"http:{self._port}")
        self._running = server, ticks

    async def stop(self, grace_s: float) -> None:
        """Stop accepting, finish what is being answered, hang up.

        A client in the middle of its work gets ``Connection: close`` with its next
        answer; idle connections are given a moment to ask once more, so that no
        request meets a connection that is just being closed.  Stopping twice, or
        before the start, is not an error.

        Args:
            grace_s: After this time, requests still being answered are cut off.
        """
        running, self._running = self._running, None
        if running is None:
            return
        server, ticks = running
        self._manners.draining = True
        for listener in server.servers:
            listener.close()
        for connection in _connections(server):
            connection.announce_close()
        linger_s = min(self._manners.linger_s, grace_s)
        await self._all_closed(server, linger_s)
        for connection in _connections(server):
            if connection.is_idle:
                connection.transport.close()
        await self._all_closed(server, grace_s - linger_s)
        await _cut_off(server, ticks)
        for listener in self._sockets:
            listener.close()

    async def _all_closed(self, server: Server, timeout_s: float) -> None:
        if server.server_state.connections:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._manners.all_closed.wait(), timeout_s)

    def _config(self) -> Config:
        protocol = partial(PoliteProtocol, self._manners)
        return Config(
            self._app,
            http=cast("type[asyncio.Protocol]", protocol),
            ws=cast("type[asyncio.Protocol]", partial(PoliteSocket, self._manners)),
            **SOCKET_SETTINGS,
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
        )

    async def _bind(self) -> list[socket.socket]:
        try:
            addresses = await addresses_of(self._host, self._port)
            return bind_all(addresses, self._port, reuse_port=self._reuse_port)
        except OSError as error:
            kind = PortInUse if error.errno == errno.EADDRINUSE else CannotListen
            raise kind(
                host=self._host,
                port=self._port,
                variable=self._variable,
                reason=error.strerror or type(error).__name__,
            ) from error


def _connections(server: Server) -> Iterable[PoliteProtocol]:
    return cast("list[PoliteProtocol]", list(server.server_state.connections))


async def _cut_off(server: Server, ticks: asyncio.Task[None]) -> None:
    for connection in _connections(server):
        connection.transport.abort()
    tasks = [*server.server_state.tasks, ticks]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
