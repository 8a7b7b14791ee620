"""Makes trades out of a venue's frames, by its row alone.

What is a price is decided by ``kernel.price_text``.  What else could go either way:

=========================== ==========================================================
a price with spaces         refused: ``" 12.5 "`` is no number
a price with an exponent    accepted and written out: ``1e-7`` is ``0.0000001``
a price of 60 digits        refused, not cut: a cut price is another price
a price 1000 times too high accepted here, held back by ``outliers`` until confirmed
a symbol in another case    refused: names match exactly
no trade time, or text      accepted, with the time of arrival, and counted
a trade time of 0, negative accepted, with the time of arrival, and counted
seconds for milliseconds    1970: accepted, with the time of arrival, and counted
more than 5 s in the future accepted, with the time of arrival, and counted
a day old                   accepted, with its true time: the board keeps the newer one
two documents in a frame    refused: nothing says which one is meant
a byte-order mark           accepted: RFC 8259 lets a reader skip it
a message inside a list     refused, unless the row says that messages are lists
nesting of thousands        refused: no reader follows it
2 MB                        accepted
=========================== ==========================================================

One bad element does not lose its neighbours.

Hot path: measured in bench/feeds_decode.py; budget 10 us a frame of one trade.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

from trinity_beast.features.catalogue import FeedRow
from trinity_beast.features.feeds.errors import FeedRowInvalid
from trinity_beast.features.feeds.json_frames import decode_again, decode_json
from trinity_beast.features.feeds.model import Decoded, Rejection, Stamp, Trade
from trinity_beast.features.feeds.paths import ABSENT, Finder, compile_path
from trinity_beast.features.feeds.rules import Rule, compile_rule
from trinity_beast.features.feeds.stamps import compile_stamp
from trinity_beast.kernel.price_text import parse_price_text
from trinity_beast.kernel.time import NS_PER_S

FUTURE_NS: Final = 5 * NS_PER_S
"""Clocks differ, so a trade may lie this far ahead of its arrival, and no further."""

_PLAIN_TEXT: Final = re.compile(r"[A-Za-z0-9 ._:\r\n-]{0,64}")
_TOO_BIG: Final = 10**20
_CONTAINERS: Final = (dict, list)


class FrameDecoder:
    """Decodes the frames of one exchange; keeps nothing between them."""

    def __init__(self, row: FeedRow, symbols: Mapping[str, str] | None) -> None:
        """Compile a row.

        Args:
            row: The exchange.
            symbols: Our asset of each of the venue's symbols; None accepts any symbol.

        Raises:
            FeedRowInvalid: The row cannot work.
        """
        name = row.exchange_name
        self._symbols = symbols
        self._rule = _compile_rule(row)
        self._find_price = _compile_needed(name, "price_path", row.price_path)
        self._find_symbol = _compile_needed(name, "symbol_path", row.symbol_path)
        self._find_stamp = _compile_optional(name, "timestamp_path", row.timestamp_path)
        self._read_stamp = compile_stamp(name, row.timestamp_format)
        self._is_array = bool(row.msg_is_array)
        self._find_array = _compile_optional(name, "array_path", row.array_path)
        # Where the frame itself is the array, the rule speaks of its elements.
        self._each = self._is_array and self._find_array is None

    def decode(self, frame: str | bytes, received_at_ns: int) -> Decoded:
        """Return what a frame says; whatever arrives, nothing is raised."""
        try:
            document = decode_json(frame)
        except (ValueError, RecursionError) as refusal:
            try:
                document = decode_again(frame, refusal)
            except RecursionError:
                return Decoded("broken", rejected=("too_deep",))
            except ValueError:
                return _decode_text(frame)
        rule = self._rule
        if rule is not None and not self._each and not rule(document):
            return Decoded("control", document=document)
        return self._decode_document(document, received_at_ns)

    def _decode_document(self, document: object, received_at_ns: int) -> Decoded:
        elements = self._elements_of(document)
        if elements is None:
            return self._without_trades(document, ["no_array"])
        trades: list[Trade] = []
        rejected: list[Rejection] = []
        each = self._rule if self._each else None
        for index, element in enumerate(elements):
            if each is not None and not each(element):
                continue
            made = self._trade_of(element, document, (index, received_at_ns))
            if type(made) is Trade:
                trades.append(made)
            else:
                rejected.append(cast("Rejection", made))
        if not trades:
            return self._without_trades(document, rejected)
        return Decoded("trades", trades, rejected)

    def _without_trades(self, document: object, rejected: list[Rejection]) -> Decoded:
        # Without a rule every frame is tried, so failing says nothing about it.
        counted = rejected if self._rule is not None else ()
        return Decoded("control", rejected=counted, document=document)

    def _elements_of(self, document: object) -> Sequence[object] | None:
        if not self._is_array:
            return (document,)
        found = document if self._find_array is None else self._find_array(document)
        if type(found) is list:
            return cast("list[object]", found)
        return (cast("object", found),) if type(found) is dict else None

    def _trade_of(
        self,
        element: object,
        root: object,
        place: tuple[int, int],
    ) -> Trade | Rejection:
        if type(element) not in _CONTAINERS:
            return "not_an_object"
        symbol = _find(self._find_symbol, element, root)
        if type(symbol) is not str:
            return "no_symbol"
        asset = symbol if self._symbols is None else self._symbols.get(symbol)
        if asset is None:
            return "unknown_symbol"
        price = _price_of(_find(self._find_price, element, root))
        if price is None:
            return "bad_price"
        index, received_at_ns = place
        traded_at_ns, stamp = self._stamp_of(element, root, received_at_ns)
        return Trade(symbol, asset, price, traded_at_ns, stamp, index)

    def _stamp_of(
        self,
        element: object,
        root: object,
        received_at_ns: int,
    ) -> tuple[int, Stamp]:
        find = self._find_stamp
        if find is None:
            return received_at_ns, "missing"
        traded_at_ns = self._read_stamp(_find(find, element, root))
        if traded_at_ns is None:
            return received_at_ns, "missing"
        if traded_at_ns > received_at_ns + FUTURE_NS:
            return received_at_ns, "future"
        return traded_at_ns, "own"


def _find(find: Finder, element: object, root: object) -> object:
    found = find(element)
    if found is ABSENT and element is not root:
        return find(root)
    return found


def _price_of(value: object) -> str | None:
    if type(value) is str:
        return parse_price_text(value)
    if type(value) is int and 0 < value < _TOO_BIG:
        return str(value)
    return None


def _decode_text(frame: str | bytes) -> Decoded:
    text = frame if isinstance(frame, str) else frame[:65].decode("ascii", "replace")
    if _PLAIN_TEXT.fullmatch(text):
        return Decoded("text", document=text.strip())
    return Decoded("broken", rejected=("broken_json",))


def _compile_rule(row: FeedRow) -> Rule | None:
    text = row.trade_channel_match
    if text is None or not text.strip():
        return None
    return compile_rule(row.exchange_name, text)


def _compile_needed(exchange: str, column: str, path: str | None) -> Finder:
    find = _compile_optional(exchange, column, path)
    if find is None:
        raise FeedRowInvalid(exchange, column, "is missing")
    return find


def _compile_optional(exchange: str, column: str, path: str | None) -> Finder | None:
    if path is None or not path.strip():
        return None
    return compile_path(exchange, column, path)
