"""The datagram listener of the role ``lpo``."""

from __future__ import annotations

import structlog

from trinity_beast.apps.settings import ListenSettings
from trinity_beast.features.prices import LpoParts, PriceDatagrams
from trinity_beast.toolkit.udp import UdpServer

_log = structlog.get_logger("udp")


class UdpPrices:
    """Serves prices over UDP, by the same parts as over HTTP.

    Args:
        parts: Keys, limits, prices and records, shared with the HTTP listener.
        listen: Where to listen.
    """

    def __init__(self, parts: LpoParts, listen: ListenSettings) -> None:
        self._server = UdpServer(
            PriceDatagrams(parts),
            listen.host,
            listen.lpo_udp_port,
            variable="LPO_UDP_PORT",
        )

    @property
    def port(self) -> int:
        """The port that is listened on; before `start`, the one asked for."""
        return self._server.port

    async def start(self) -> None:
        """Listen.

        Raises:
            PortInUse: Somebody else listens there.
        """
        await self._server.start()
        if not self._server.state.batched:
            _log.warning("this system has no recvmmsg; UDP will be slower")

    async def stop(self) -> None:
        """Answer what has arrived, then let go of the port."""
        await self._server.stop()
        unsent = self._server.state.unsent
        if unsent:
            _log.warning("answers that the system did not take", unsent=unsent)
