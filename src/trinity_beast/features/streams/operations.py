"""What clients ask for: assets in a query, operations over the WebSocket."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from trinity_beast.features.prices import (
    AssetMissing,
    KeyedPath,
    TooManyAssets,
    asset_named,
)
from trinity_beast.features.streams.errors import OperationUnreadable
from trinity_beast.features.streams.model import MOST_ASSETS

STREAM_PATH = "/stream/prices"
SOCKET_PATH = "/ws/prices"
QUERY_TYPE = "stream"

_MOST_ENTRIES = 1_000


class Operation(msgspec.Struct, forbid_unknown_fields=True):
    """An operation over the WebSocket.

    Attributes:
        op: What to do.
        assets: With which assets, as a list or with commas between.
        last_event_id: Up to where the client has been told of them.
    """

    op: Literal["subscribe", "unsubscribe", "ping"]
    assets: list[str] | str = ""
    last_event_id: str = ""


_decoder = msgspec.json.Decoder(Operation)


def operation_in(text: str) -> Operation:
    """Return the operation that a message asks for.

    Raises:
        OperationUnreadable: It is none.
    """
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError) as error:
        raise OperationUnreadable from error


def assets_of(given: Sequence[str] | str) -> tuple[str, ...]:
    """Return the assets that a client names: each once, in the order asked.

    Raises:
        AssetMissing: There are none.
        TooManyAssets: There are more than `MOST_ASSETS`, or absurdly many repeats.
    """
    texts = given.split(",") if isinstance(given, str) else given
    named = [text for text in texts if text.strip(" ")]
    if not named:
        raise AssetMissing
    assets = tuple(dict.fromkeys(map(asset_named, named[: _MOST_ENTRIES + 1])))
    if len(named) > _MOST_ENTRIES or len(assets) > MOST_ASSETS:
        raise TooManyAssets(most=MOST_ASSETS)
    return assets


def _assets_in(parameters: Mapping[str, object]) -> tuple[str, ...]:
    return assets_of(str(parameters.get("assets", "")))


STREAM = KeyedPath(
    STREAM_PATH,
    QUERY_TYPE,
    ("GET",),
    is_batch=True,
    assets_in=_assets_in,
)
SOCKET = KeyedPath(
    SOCKET_PATH,
    QUERY_TYPE,
    ("GET",),
    is_batch=True,
    assets_in=lambda _: (),
)
