"""Exchanges that nobody has invented yet: random dialects, each with its row.

Names, nesting, arrays or not, time formats, prices as text or number, and what tells a
trade from other frames are drawn; the row is all that the engine is told of them.
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from trinity_beast.features.catalogue import FeedRow
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S

_FORMATS = {"rfc3339": 1, "unix_ms": NS_PER_MS, "unix_ms_string": 1, "unix_ns": 1}
"""What each format can tell apart, in nanoseconds; a fraction of a ms is text."""


@dataclass(frozen=True)
class Told:
    """One trade, as an exchange tells it."""

    symbol: str
    price: str
    traded_at_ns: int


@dataclass(frozen=True)
class Dialect:
    """How one exchange talks.

    Attributes:
        row: All that the engine knows of it.
        marks: What the rule asks of a trade frame, by path.
        price_is_number: Whether prices are JSON numbers.
        symbol_in_frame: Whether the symbol stands in the frame, not in the elements.
    """

    row: FeedRow
    marks: dict[str, Any]
    price_is_number: bool
    symbol_in_frame: bool

    @property
    def most_trades(self) -> int:
        """Return how many trades a frame may hold."""
        return 5 if self.row.msg_is_array else 1

    def frame(self, trades: list[Told], *, marked: bool = True) -> str:
        """Return a trade frame; an unmarked one looks the same and is none."""
        elements = [self._element(trade) for trade in trades]
        root: dict[str, Any] = {}
        if self.symbol_in_frame:
            _put(root, self.row.symbol_path, trades[0].symbol)
        if not self.row.msg_is_array:
            root |= elements[0]
        elif self.row.array_path is None:
            return self._text(
                [self._mark(element, marked=marked) for element in elements]
            )
        else:
            _put(root, self.row.array_path, elements)
        return self._text(self._mark(root, marked=marked))

    def _mark(self, root: dict[str, Any], *, marked: bool) -> dict[str, Any]:
        for path, value in self.marks.items():
            _put(root, path, value if marked else "something else")
        return root

    def _element(self, trade: Told) -> dict[str, Any]:
        element: dict[str, Any] = {"extra": [1, None, {"x": "y"}]}
        price = f"<{trade.price}>" if self.price_is_number else trade.price
        _put(element, self.row.price_path, price)
        if not self.symbol_in_frame:
            _put(element, self.row.symbol_path, trade.symbol)
        stamp = _stamp(self.row.timestamp_format, trade.traded_at_ns)
        _put(element, self.row.timestamp_path, stamp)
        return element

    def _text(self, document: object) -> str:
        # A number's digits are text here too: json.dumps would make a float of them.
        return json.dumps(document).replace('"<', "").replace('>"', "")


def draw_dialect(random: Random, endpoint: str = "wss://dialect.example") -> Dialect:
    """Return a dialect; the same random numbers give the same one."""
    names = iter(_names(random))
    is_array = random.random() < 0.6
    symbol_in_frame = is_array and random.random() < 0.3
    array_path = _path(random, names) if is_array and random.random() < 0.8 else None
    rule, marks = _rule(random, names)
    row = FeedRow(
        id=1,
        exchange_name="dialect",
        display_name="Dialect",
        ws_endpoint=endpoint,
        symbol_template=random.choice(["{ASSET}-USD", "{asset}_usdt", "x{ASSET}"]),
        source_tag="dialect-ws",
        subscribe_template='{"do":"take","what":"{SYMBOLS}","at":{TIME}}',
        trade_channel_match=rule,
        price_path=_path(random, names),
        symbol_path=_path(random, names),
        timestamp_path=_path(random, names),
        timestamp_format=random.choice(list(_FORMATS)),
        msg_is_array=is_array,
        array_path=array_path,
        ping_interval_sec=10,
        ping_message="are you there",
    )
    in_frame = symbol_in_frame and array_path is not None
    return Dialect(row, marks, random.random() < 0.5, in_frame)


def draw_trades(random: Random, dialect: Dialect, symbols: list[str]) -> list[Told]:
    """Return the trades of one frame."""
    count = random.randint(1, dialect.most_trades)
    resolution_ns = _FORMATS[dialect.row.timestamp_format or ""]
    symbol = random.choice(symbols)
    trades = [
        Told(
            symbol, _price(random), _instant_ns(random) // resolution_ns * resolution_ns
        )
        for _ in range(count)
    ]
    if dialect.symbol_in_frame:
        return trades
    return [replace(trade, symbol=random.choice(symbols)) for trade in trades]


def _names(random: Random) -> list[str]:
    alphabet = string.ascii_letters + "_-$ é"
    found: dict[str, None] = {}
    while len(found) < 40:
        name = "".join(random.choice(alphabet) for _ in range(random.randint(1, 8)))
        if name == name.strip() and not name.startswith("!"):
            found[name] = None
    return [name for name in found if name != "extra"]


def _path(random: Random, names: Any) -> str:  # noqa: ANN401 - an iterator of names
    return ".".join(next(names) for _ in range(random.randint(1, 3)))


def _rule(random: Random, names: Any) -> tuple[str, dict[str, Any]]:  # noqa: ANN401 - as above
    one, two, three = (_path(random, names) for _ in range(3))
    terms = {
        f"{one}=trade": {one: "trade"},
        f"{one}=match|last_match": {one: "last_match"},
        f"{one}=7": {one: 7},
        f"{one}=true": {one: True},
        f"{one}^=trades.": {one: "trades.BTC"},
        f"{one}=trade,{two}!=something else": {one: "trade", two: "update"},
        f"{one}=trade,{two}=*,!{three}": {one: "trade", two: 0},
    }
    return random.choice(list(terms.items()))


def _put(document: dict[str, Any], path: str | None, value: object) -> None:
    *parents, last = (path or "").split(".")
    for name in parents:
        document = document.setdefault(name, {})
    document[last] = value


def _price(random: Random) -> str:
    whole = str(random.randint(1, 10 ** random.randint(1, 8)))
    if random.random() < 0.3:
        return whole
    return whole + "." + "".join(random.choices("0123456789", k=random.randint(1, 12)))


def _instant_ns(random: Random) -> int:
    return random.randint(1_500_000_000 * NS_PER_S, 1_789_000_000 * NS_PER_S)


def _stamp(stamp_format: str | None, at_ns: int) -> object:
    if stamp_format == "unix_ns":
        return at_ns
    if stamp_format == "unix_ms":
        return at_ns // NS_PER_MS
    if stamp_format == "unix_ms_string":
        return f"{at_ns // NS_PER_MS}.{at_ns % NS_PER_MS:06d}"
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at_ns // NS_PER_S)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ns % NS_PER_S:09d}Z"
