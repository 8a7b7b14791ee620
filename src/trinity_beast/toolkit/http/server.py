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
from trinity_beast.toolkit.http.protocol import Manners, PoliteProtocol

KEEP_ALIVE_S = 75
_BACKLOG = 2048


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
        self._server: Server | None = None
        self._ticks: asyncio.Task[None] | None = None

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
        server = Server(self._config())
        server.config.load()
        server.lifespan = server.config.lifespan_class(server.config)
        await server.startup(sockets=self._sockets)
        self._server = server
        self._ticks = asyncio.create_task(server.main_loop(), name=f"http:{self._port}")

    async def stop(self, grace_s: float) -> None:
        """Stop accepting, finish what is being answered, hang up.

        A client in the middle of its work gets ``Connection: close`` with its next
        answer; idle connections are given a moment to ask once more, so that no
        request meets a connection that is just being closed.  Stopping twice, or
        before the start, is not an error.

        Args:
            grace_s: After this time, requests still being answered are cut off.
        """
        server, self._server = self._server, None
        if server is None:
            return
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
        await self._cut_off(server)

    async def _all_closed(self, server: Server, timeout_s: float) -> None:
        if server.server_state.connections:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._manners.all_closed.wait(), timeout_s)

    async def _cut_off(self, server: Server) -> None:
        for connection in _connections(server):
            connection.transport.abort()
        tasks = list(server.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._ticks is not None:
            self._ticks.cancel()
            await asyncio.gather(self._ticks, return_exceptions=True)
        for listener in self._sockets:
            listener.close()

    def _config(self) -> Config:
        protocol = partial(PoliteProtocol, self._manners)
        return Config(
            self._app,
            http=cast("type[asyncio.Protocol]", protocol),
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            backlog=_BACKLOG,
        )

    async def _bind(self) -> list[socket.socket]:
        bound: list[socket.socket] = []
        try:
            for family, address in await self._addresses():
                bound.append(self._listener(family, address))
                self._port = bound[0].getsockname()[1]
        except OSError as error:
            for listener in bound:
                listener.close()
            kind = PortInUse if error.errno == errno.EADDRINUSE else CannotListen
            raise kind(
                host=self._host,
                port=self._port,
                variable=self._variable,
                reason=error.strerror or type(error).__name__,
            ) from error
        return bound

    async def _addresses(self) -> list[tuple[int, str]]:
        found = await asyncio.get_running_loop().getaddrinfo(
            self._host,
            self._port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )
        return list(dict.fromkeys((info[0], str(info[4][0])) for info in found))

    def _listener(self, family: int, address: str) -> socket.socket:
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self._reuse_port:
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, self._port))
            # Claimed at once: two sockets may be bound to one port until one listens.
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)  # noqa: FBT003 - the socket module's own word
        return listener


def _connections(server: Server) -> Iterable[PoliteProtocol]:
    return cast("list[PoliteProtocol]", list(server.server_state.connections))
