"""Exchanges over WebSockets."""

from trinity_beast.adapters.exchange_sockets.sockets import WebSocketExchanges

__all__ = ["WebSocketExchanges"]
