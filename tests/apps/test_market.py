"""The markets that feeds can listen to."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.clocks import NOON_NS
from support.waiting import eventually
from trinity_beast.apps.banner import banner
from trinity_beast.apps.market import (
    MarketChoice,
    MarketUnknown,
    RedirectedExchanges,
    parse_market,
    symbols_in,
)
from trinity_beast.features.board import BoardReader
from trinity_beast.ports.exchanges import ExchangeSocket, ExchangeUnreachable

if TYPE_CHECKING:
    import httpx

    from support.nodes import OpenNode
    from trinity_beast.apps.settings import Settings
    from trinity_beast.features.keys import KeyService

RECORDINGS = Path(__file__).parents[3] / "shared" / "data" / "exchanges"
needs_recordings = pytest.mark.skipif(
    not RECORDINGS.is_dir(),
    reason=f"the recorded frames are not beside the repository ({RECORDINGS})",
)


def newest_prices(folder: Path, exchange: str) -> dict[str, str]:
    """Return the text of the newest true price of each recorded symbol."""
    newest: dict[str, tuple[int, str]] = {}
    with gzip.open(folder / f"{exchange}.truth.jsonl.gz", "rt") as lines:
        for line in lines:
            trade = json.loads(line)
            symbol, at_ns = trade["exchange_symbol"], trade["timestamp_ns"]
            if at_ns >= newest.get(symbol, (0, ""))[0]:
                newest[symbol] = at_ns, trade["price"]
    return {symbol: price for symbol, (_, price) in newest.items()}


@needs_recordings
@pytest.mark.parametrize(
    ("folder", "exchange"),
    [
        *(("", name) for name in ("coinbase", "kraken", "gateio", "bybit", "okx")),
        *(
            ("simulated", name)
            for name in ("coinbase", "gemini", "kraken", "gateio", "bybit", "okx")
        ),
    ],
)
async def test_after_a_replay_each_price_is_the_newest_true_one(
    node: OpenNode,
    settings: Settings,
    folder: str,
    exchange: str,
) -> None:
    recordings = RECORDINGS / folder
    choice = MarketChoice("replay", recordings, exchange, speed=10_000)

    async with node("feeds", choice=choice) as opened:
        replay = opened.shared.market.replay
        assert replay is not None
        if replay.assets:
            await replay.finished.wait()
        symbols = replay.assets.get(exchange, {})
        truth = newest_prices(recordings, exchange)
        wanted = {asset: truth[symbol] for asset, symbol in symbols.items()}
        board = BoardReader.open(settings.node.home / "run" / "board")

        async def served() -> bool:
            found = {asset: board.quote(asset) for asset in wanted}
            return {a: q.price for a, q in found.items() if q is not None} == wanted

        await eventually(served)
        board.close()

    assert bool(symbols) is ((folder, exchange) != ("", "kraken"))


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Make a recording of two venues, one of which quotes nothing that we can ask."""
    folder = tmp_path / "recording"
    folder.mkdir()
    match = {"type": "match", "product_id": "BTC-USD", "time": "2026-01-01T00:00:00Z"}
    frames = [{**match, "price": "65000.10"}, {**match, "price": "65000.20"}]
    odd = {"channel": "trade", "data": [{"symbol": "BTC/EUR", "price": 1}]}
    for name, sent in (("coinbase", frames), ("kraken", [odd])):
        lines = [
            json.dumps({"n": n, "dir": "recv", "raw": json.dumps(frame)})
            for n, frame in enumerate(sent)
        ]
        (folder / f"{name}.jsonl").write_text("\n".join(lines))
    return folder


async def test_a_recording_is_served_with_its_true_age(
    node: OpenNode,
    keys: KeyService,
    http: httpx.AsyncClient,
    recording: Path,
) -> None:
    issued = await keys.create("dev@example.org", "unlimited", response_format="plain")
    choice = MarketChoice("replay", recording, speed=10_000)

    async with node(choice=choice) as opened:
        replay = opened.shared.market.replay
        assert replay is not None
        await replay.finished.wait()

        async def newest() -> httpx.Response | None:
            headers = {"X-API-Key": issued.secret}
            answer = await http.get("/price?asset=BTC", headers=headers)
            return answer if "65000.20" in answer.text else None

        answer = await eventually(newest)
        assets = (await http.get("/assets")).json()
        words = banner(opened.shared, issued.secret)

    assert answer.json()["timestamp"] == "2026-01-01T00:00:00.000Z"
    assert answer.json()["cache_age_seconds"] > 24 * 3600
    assert [asset["asset"] for asset in assets["assets"]] == ["BTC"]
    assert "kraken" in replay.left_out
    assert issued.secret in words
    assert "left out: kraken" in words


@pytest.mark.parametrize("text", ["tulips", "", "replay:", "replay:/nowhere", "Live"])
def test_a_market_that_does_not_exist_is_refused(text: str) -> None:
    with pytest.raises(MarketUnknown) as caught:
        parse_market(text)

    assert "live, simulated or replay:FOLDER" in caught.value.message


def test_markets_are_named_on_the_command_line(tmp_path: Path) -> None:
    assert parse_market("live") == MarketChoice("live")
    assert parse_market("simulated", speed=10) == MarketChoice("simulated", speed=10)
    assert parse_market(f"replay:{tmp_path}", exchange="okx") == MarketChoice(
        "replay",
        tmp_path,
        "okx",
    )


class Exchanges:
    """Remembers where it was asked to connect, and never gets there."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def connect(self, url: str) -> ExchangeSocket:
        self.asked.append(url)
        raise ExchangeUnreachable(reason="nobody is there")


async def test_a_local_market_never_connects_outside() -> None:
    inner = Exchanges()
    exchanges = RedirectedExchanges(inner, {"wss://real.example": "ws://127.0.0.1:1"})

    for url in (
        "wss://real.example",
        "wss://other.example",
        "ws://127.0.0.1:9",
        "ws://[::1]:9",
        "ws://localhost:9",
        "ws://192.0.2.1:9",
        "nonsense",
    ):
        with pytest.raises(ExchangeUnreachable):
            await exchanges.connect(url)

    assert inner.asked == [
        "ws://127.0.0.1:1",
        "ws://127.0.0.1:9",
        "ws://[::1]:9",
        "ws://localhost:9",
    ]


def test_only_rows_of_the_catalogue_tell_symbols() -> None:
    class Odd:
        id = 1
        exchange_name = "odd"
        symbol_template = "{ASSET}"

    assert list(symbols_in(Odd(), [str(NOON_NS)])) == []
