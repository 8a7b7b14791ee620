"""The client for asyncio."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from trinity_beast.client.async_wire import Line, exchange, open_http, send
from trinity_beast.client.effects import (
    Exchange,
    Flow,
    Outcome,
    Result,
    Send,
    StreamFlow,
    Wait,
)
from trinity_beast.client.following import Way
from trinity_beast.client.options import DEFAULT_URL, Options, Surroundings
from trinity_beast.client.parts import Parts
from trinity_beast.client.prices import Batch, Price, PriceEvent


class AsyncBeastClient:
    """Asks a price server, on an asyncio event loop.

    >>> async with AsyncBeastClient(key, "https://prices.example.org") as beast:
    ...     print((await beast.price("BTC")).price)
    65012.30

    Args:
        key: The API key; it is sent to this server alone and shown nowhere.
        url: Where the server is.
        options: How the client behaves.
        around: Time and chance, for tests.

    Raises:
        MissingKey: The key is empty.
        UnknownKey: No key reads like this one.
        InvalidRequest: The URL is none of ``http`` or ``https``.
    """

    def __init__(
        self,
        key: str,
        url: str = DEFAULT_URL,
        *,
        options: Options | None = None,
        around: Surroundings | None = None,
    ) -> None:
        self._parts = Parts(key, url, options or Options(), around or Surroundings())
        self._http = open_http(self._parts)
        self._streams: set[AsyncPriceStream] = set()

    def __repr__(self) -> str:
        """Return a text without the key."""
        return f"<AsyncBeastClient {self._parts.origin}>"

    async def __aenter__(self) -> Self:
        """Return the client, to be closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.close()

    async def close(self) -> None:
        """Close all connections and streams; closing twice is no error."""
        for stream in tuple(self._streams):
            await stream.close()
        await self._http.aclose()

    async def price(self, asset: str, *, max_age_ms: int | None = None) -> Price:
        """Return the price of one asset.

        >>> (await beast.price("BTC")).price_text
        '65012.30'

        Args:
            asset: Its name, such as ``BTC``.
            max_age_ms: The greatest age that is accepted.

        Raises:
            BeastError: Why there is none, once asking again helped no more.
        """
        return await self._run(self._parts.asking.price(asset, max_age_ms))

    async def prices(
        self,
        assets: Sequence[str],
        *,
        max_age_ms: int | None = None,
    ) -> Batch:
        """Return the prices of up to 30 assets; costs one request.

        >>> batch = await beast.prices(["BTC", "ETH"])
        >>> batch["ETH"].price
        Decimal('3105.20')

        Args:
            assets: Their names.
            max_age_ms: The greatest age that is accepted.

        Raises:
            BeastError: Why there is no answer.  An asset without a price does not
                raise: it stands among the batch's ``failures``.
        """
        return await self._run(self._parts.asking.prices(assets, max_age_ms))

    async def udp_price(self, asset: str, *, signed: bool = True) -> Price:
        """Return the price of one asset, asked by a datagram.

        >>> (await beast.udp_price("BTC")).price
        Decimal('65012.30')

        Args:
            asset: Its name.
            signed: Prove the key by a signature; else the key itself is sent, which
                everybody on the way can read.

        Raises:
            BeastError: Why there is none.
        """
        return await self._run(self._parts.udp_asking.price(asset, signed=signed))

    async def udp_prices(self, assets: Sequence[str], *, signed: bool = True) -> Batch:
        """Return the prices of up to 8 assets, asked by one datagram.

        Args:
            assets: Their names.
            signed: As in `udp_price`.

        Raises:
            BeastError: Why there is no answer.
        """
        return await self._run(self._parts.udp_asking.prices(assets, signed=signed))

    def stream(self, assets: Sequence[str], *, over: Way = "sse") -> AsyncPriceStream:
        """Return the prices of some assets as they change, without an end.

        >>> async with beast.stream(["BTC", "ETH"]) as events:
        ...     async for event in events:
        ...         print(event.asset, event.price)

        Nothing is read ahead: a slow reader gets the newest price of each asset, not
        all that there were.  What breaks is opened again.

        Args:
            assets: Their names.
            over: ``sse``, or ``websocket``.

        Raises:
            BeastError: While iterating: the server refuses for good, or could not be
                reached for long.
        """
        flow = self._parts.following.follow(assets, over)
        stream = AsyncPriceStream(flow, Line(self._parts, self._http), self._streams)
        self._streams.add(stream)
        return stream

    async def _run(self, flow: Flow[Result]) -> Result:
        outcome: Outcome = None
        with contextlib.closing(flow):
            while True:
                try:
                    effect = flow.send(outcome)
                except StopIteration as end:
                    return end.value
                outcome = await self._do(effect)

    async def _do(self, effect: Send | Wait | Exchange) -> Outcome:
        if isinstance(effect, Send):
            return await send(self._http, effect)
        if isinstance(effect, Exchange):
            return await exchange(self._parts, effect)
        await self._parts.around.sleep_async(effect.seconds)
        return None


class AsyncPriceStream:
    """Price events, to be iterated over; made by `AsyncBeastClient.stream`.

    Args:
        flow: The logic.
        line: Its connection.
        among: The open streams of the client.
    """

    def __init__(
        self,
        flow: StreamFlow,
        line: Line,
        among: set[AsyncPriceStream],
    ) -> None:
        self._flow = flow
        self._line = line
        self._among = among

    async def __aenter__(self) -> Self:
        """Return the stream, to be closed at the end of the block."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        await self.close()

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> PriceEvent:
        """Return the next event, waiting for it.

        Raises:
            BeastError: There will be none.
        """
        outcome: Outcome = None
        try:
            while True:
                effect = self._flow.send(outcome)
                if isinstance(effect, PriceEvent):
                    return effect
                outcome = await self._line.do(effect)
        except StopIteration:
            await self.close()
            raise StopAsyncIteration from None
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the connection; iterating ends.  Closing twice is no error."""
        self._among.discard(self)
        self._flow.close()
        await self._line.close()
