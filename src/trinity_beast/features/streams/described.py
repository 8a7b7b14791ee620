"""How the streams describe themselves in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from trinity_beast.features.prices import Described
from trinity_beast.features.streams.model import MOST_ASSETS
from trinity_beast.toolkit.http.openapi import KEYED, answer_headers, error_responses

_ERRORS = (
    "missing_key",
    "unknown_key",
    "revoked_key",
    "tier_not_allowed",
    "invalid_request",
    "rate_limited",
    "overloaded",
    "internal",
)
_ASSETS = {
    "name": "assets",
    "in": "query",
    "required": True,
    "description": f"Up to {MOST_ASSETS} different assets, separated by commas.",
    "schema": {"type": "string"},
    "example": "BTC,ETH",
}
_FORMAT = {
    "name": "format",
    "in": "query",
    "description": "Format of an error, instead of the key's own.",
    "schema": {"type": "string", "enum": ["tbc", "plain"]},
}
_LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "The last `id` that was read: assets whose price did not change"
    " since are left out of the snapshot.",
    "schema": {"type": "string"},
}
_PRICE = (
    '{"asset":"BTC","price":65000.25,"timestamp":"2026-09-21T14:13:19.500Z",'
    '"source":"coinbase-ws","cached":true,"cache_age_seconds":0.0,"latency_ms":0,'
    '"duration_ms":0}'
)
_UNAVAILABLE = (
    '{"asset":"BTC","error":{"code":"price_unavailable","message":'
    '"There is no live price of BTC right now."}}'
)
_EVENTS = (
    "event: snapshot\n"
    "id: 1790000000000-5f3a09c1-17\n"
    f'data: {{"count":1,"prices":[{_PRICE}]}}\n\n'
    "event: price\n"
    "id: 1790000000050-5f3a09c1-18\n"
    f"data: {_PRICE}\n\n"
    "event: stale\n"
    "id: 1790000031000-5f3a09c1-19\n"
    f"data: {_UNAVAILABLE}\n\n"
    ": heartbeat\n\n"
)
_SAYS = (
    "First a `snapshot` of all assets asked, in the form of `GET /prices`; then a"
    " `price` for each change, in the form of `GET /price`, and `stale` when an asset's"
    " price may not be served any more, until its next `price`. A client that reads"
    " slowly is told the newest price and not each one in between; one that reads"
    " nothing for 60 seconds is hung up on. Only some plans include streams, and a key"
    " may have few open at a time. An `error` event tells why a stream is ended."
)


def _stream_responses() -> dict[int | str, Any]:
    answer = {
        "description": "The stream; it has no end.",
        "headers": answer_headers(keyed=True),
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "examples": {"events": {"value": _EVENTS}},
            },
        },
    }
    codes = (*_ERRORS, "too_many_assets", "quota_exceeded")
    return {200: answer, **error_responses(*codes, keyed=True)}


def _socket_responses() -> dict[int | str, Any]:
    answer = {
        "description": "The WebSocket is open.",
        "headers": answer_headers(keyed=False),
    }
    return {101: answer, **error_responses(*_ERRORS, keyed=True)}


STREAM = Described(
    "Streams",
    "Prices as server-sent events",
    f"{_SAYS} A comment comes every 15 seconds. Opening a stream is one request; what"
    " it says costs nothing.",
    _stream_responses(),
    {"security": KEYED, "parameters": [_ASSETS, _LAST_EVENT_ID, _FORMAT]},
)
SOCKET = Described(
    "Streams",
    "Prices over a WebSocket",
    'Send `{"op":"subscribe","assets":["BTC"]}`,'
    ' `{"op":"unsubscribe","assets":["BTC"]}` or `{"op":"ping"}`; `subscribe` also'
    " takes `last_event_id`. What comes are the events of `GET /stream/prices` as JSON"
    " text:"
    ' `{"event":"price","id":"…","data":{…}}`, and besides `unsubscribed` with the'
    f" assets that are left, `pong` and `error`. {_SAYS} Each `subscribe` is one"
    " request; what follows costs nothing.",
    _socket_responses(),
    {"security": KEYED},
)
