"""What is written to a venue: subscribe requests and pings, out of a row's templates.

Placeholders of ``subscribe_template``; quotes around one go with it, so a template may
be valid JSON before it is filled, too::

    {SYMBOLS}           a JSON array of the symbols, as ``symbol_style`` writes them
    {SYMBOLS:trade.%s}  a JSON array of texts of this form, whatever the style
    {SYMBOL}            one symbol inside of a text: one request for each symbol
    {TIME}              whole seconds since the epoch, as a number

Styles: ``standard`` and ``coinbase`` ``["BTC-USD"]``; ``gemini`` ``["btcusd@trade"]``;
``bybit`` ``["publicTrade.BTCUSDT"]``, at most 10 a request; ``okx``
``[{"channel":"trades","instId":"BTC-USDT"}]``.  A template without symbols is one
request for all.

``symbol_template`` makes a venue's symbol of an asset's name: ``{ASSET}`` as it is,
``{asset}`` in lower case.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from trinity_beast.features.feeds.errors import FeedRowInvalid

MOST_SYMBOLS: Final = 100
MOST_SYMBOLS_BYBIT: Final = 10
MOST_BYTES: Final = 60_000
"""Below OKX's limit of 64 KB for the arguments of one request."""

_SYMBOLS: Final = re.compile(r'(")?\{SYMBOLS(?::([^{}"]*))?\}(?(1)")')
_SYMBOL: Final = "{SYMBOL}"
_SYMBOL_TEXT: Final = re.compile(r'"([^"]*\{SYMBOL\}[^"]*)"')
_TIME: Final = re.compile(r'(")?\{TIME\}(?(1)")')
_STRAY: Final = re.compile(r"\{[A-Za-z_]+(?::[^{}\"]*)?\}")
_SUBSCRIBE: Final = "subscribe_template"

_STYLES: Final[dict[str, Callable[[str], object]]] = {
    "standard": lambda symbol: symbol,
    "coinbase": lambda symbol: symbol,
    "gemini": lambda symbol: f"{symbol}@trade",
    "bybit": lambda symbol: f"publicTrade.{symbol}",
    "okx": lambda symbol: {"channel": "trades", "instId": symbol},
}


def symbol_of(template: str, asset: str) -> str:
    """Return the venue's symbol of an asset, by a row's ``symbol_template``."""
    return template.replace("{ASSET}", asset).replace("{asset}", asset.lower())


@dataclass(frozen=True, slots=True)
class SubscribeTemplate:
    """A row's ``subscribe_template``, checked.

    Attributes:
        text: The template; empty where a venue needs no request.
        style: One of the five styles.
        chunk: How many symbols one request may hold.
    """

    text: str
    style: str
    chunk: int

    def requests(self, symbols: Sequence[str]) -> list[tuple[str, ...]]:
        """Return the symbols in the chunks that one request each may hold."""
        if not self.text or not symbols:
            return []
        if not _SYMBOLS.search(self.text) and _SYMBOL not in self.text:
            return [tuple(symbols)]
        chunks: list[tuple[str, ...]] = []
        chunk: list[str] = []
        size = 0
        for symbol in symbols:
            length = len(self._list_of([symbol])) + len(symbol)
            if chunk and (len(chunk) >= self.chunk or size + length > MOST_BYTES):
                chunks.append(tuple(chunk))
                chunk, size = [], 0
            chunk.append(symbol)
            size += length
        return [*chunks, tuple(chunk)]

    def render(self, symbols: Sequence[str], unix_s: int | None) -> str:
        """Return one request; a time of None is written as null."""
        text = _SYMBOLS.sub(lambda match: self._list_of(symbols, match[2]), self.text)
        if _SYMBOL in text and symbols:
            text = text.replace(_SYMBOL, _json(symbols[0])[1:-1])
        return render_time(text, unix_s)

    def forms_of(self, symbol: str) -> tuple[str, ...]:
        """Return the other texts by which a request names a symbol."""
        match = _SYMBOLS.search(self.text)
        if match is not None and match[2] is not None:
            return (match[2].replace("%s", symbol),)
        forms = tuple(
            text.replace(_SYMBOL, symbol) for text in _SYMBOL_TEXT.findall(self.text)
        )
        written = _STYLES[self.style](symbol)
        return (*forms, written) if isinstance(written, str) else forms

    def _list_of(self, symbols: Sequence[str], form: str | None = None) -> str:
        if form is not None:
            return _json([form.replace("%s", symbol) for symbol in symbols])
        write = _STYLES[self.style]
        return _json([write(symbol) for symbol in symbols])


def compile_subscribe(
    exchange: str,
    template: str | None,
    style: str | None,
) -> SubscribeTemplate:
    """Return a checked template; a row without one needs no request.

    Raises:
        FeedRowInvalid: The style is unknown, a placeholder is, or the filled template
            is no JSON.
    """
    style = style or "standard"
    if style not in _STYLES:
        reason = f"is none of {', '.join(_STYLES)}: {style!r}"
        raise FeedRowInvalid(exchange, "symbol_style", reason)
    text = (template or "").strip()
    chunk = MOST_SYMBOLS_BYBIT if style == "bybit" else MOST_SYMBOLS
    compiled = SubscribeTemplate(text, style, 1 if _SYMBOL in text else chunk)
    if text:
        _check_form(exchange, text)
        _check_json(exchange, _SUBSCRIBE, compiled.render(["A", "B"], 0))
    return compiled


def compile_ping(exchange: str, message: str | None) -> str | None:
    """Return a checked ping message, JSON or plain text, or None where there is none.

    Raises:
        FeedRowInvalid: It begins like JSON and is none.
    """
    text = (message or "").strip()
    if text.startswith(("{", "[")):
        _check_json(exchange, "ping_message", render_time(text, 0))
    return text or None


def render_time(text: str, unix_s: int | None) -> str:
    """Return a text with ``{TIME}`` filled in."""
    return _TIME.sub("null" if unix_s is None else str(unix_s), text)


def _check_form(exchange: str, text: str) -> None:
    for match in _SYMBOLS.finditer(text):
        if match[2] is not None and "%s" not in match[2]:
            reason = f"has no %s in {match[0]!r}"
            raise FeedRowInvalid(exchange, _SUBSCRIBE, reason)
    rest = _TIME.sub("", _SYMBOLS.sub("", text)).replace(_SYMBOL, "")
    stray = _STRAY.search(rest)
    if stray:
        reason = f"has an unknown placeholder: {stray[0]}"
        raise FeedRowInvalid(exchange, _SUBSCRIBE, reason)


def _check_json(exchange: str, column: str, text: str) -> None:
    try:
        msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        reason = f"is no JSON once filled ({error}): {text[:200]}"
        raise FeedRowInvalid(exchange, column, reason) from error


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
