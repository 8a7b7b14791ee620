from __future__ import annotations

from support.clocks import NOON_NS
from support.feeds import RecordingBoard
from trinity_beast.features.board import BoardRefused, Tick
from trinity_beast.features.feeds.intake import Intake
from trinity_beast.features.feeds.model import Stamp, Trade
from trinity_beast.features.feeds.outliers import OutlierGuard
from trinity_beast.features.feeds.status import Counters, FeedStatus
from trinity_beast.kernel.time import NS_PER_S


def trade(
    price: str,
    asset: str = "BTC",
    *,
    age_s: float = 0,
    stamp: Stamp = "own",
) -> Trade:
    traded_at_ns = NOON_NS - round(age_s * NS_PER_S)
    return Trade(f"{asset}-USD", asset, price, traded_at_ns, stamp, 0)


def take(*trades: Trade) -> tuple[RecordingBoard, FeedStatus]:
    board, status = RecordingBoard(), FeedStatus(lambda: None)
    Intake(board, OutlierGuard(), status).take("plain-ws", trades, NOON_NS)
    return board, status


def test_a_trade_goes_to_the_board_with_its_times() -> None:
    board, status = take(trade("65051.10", age_s=1))

    assert board.ticks == [
        (
            "BTC",
            Tick("65051.10", "plain-ws", NOON_NS - NS_PER_S, NOON_NS, snapshot=False),
        ),
    ]
    assert status.counters == Counters(trades=1)
    assert status.last_trades_ns == {"BTC": NOON_NS - NS_PER_S}


def test_a_trade_that_was_old_on_arrival_is_marked_as_history() -> None:
    board, _ = take(trade("1", "OLD", age_s=5.001), trade("1", "NEW", age_s=5))

    assert {asset: tick.snapshot for asset, tick in board.ticks} == {
        "OLD": True,
        "NEW": False,
    }


def test_of_one_frame_the_newest_trade_counts_whatever_the_order() -> None:
    board, status = take(
        trade("3", age_s=1),
        trade("1", age_s=3),
        trade("2", age_s=2),
        trade("9", "ETH"),
    )

    assert board.prices == {"BTC": "3", "ETH": "9"}
    assert len(board.ticks) == 2
    assert status.counters.trades == 4


def test_of_two_trades_of_one_instant_the_later_one_counts() -> None:
    board, _ = take(trade("1"), trade("2"))

    assert board.prices == {"BTC": "2"}


def test_trades_without_a_time_of_their_own_are_counted() -> None:
    _, status = take(
        trade("1", stamp="missing"),
        trade("1", stamp="future"),
        trade("1", stamp="future"),
    )

    assert status.counters == Counters(trades=3, unstamped=1, clamped=2)


def test_an_absurd_price_is_withheld_and_counted() -> None:
    board, status = take(trade("65051", age_s=2), trade("65051000", age_s=1))

    assert board.prices == {"BTC": "65051"}
    assert status.counters.outliers == 1


class FullBoard(RecordingBoard):
    def publish(self, asset: str, tick: Tick) -> bool:
        if asset == "BTC":
            raise BoardRefused(name=asset)
        return super().publish(asset, tick)


def test_a_price_that_the_board_refuses_does_not_hold_up_the_next() -> None:
    board, status = FullBoard(), FeedStatus(lambda: None)

    Intake(board, OutlierGuard(), status).take(
        "plain-ws",
        [trade("1"), trade("2", "ETH")],
        NOON_NS,
    )

    assert board.prices == {"ETH": "2"}
    assert status.counters.unpublished == 1
    assert status.last_error == BoardRefused(name="BTC").message


def test_an_older_trade_does_not_turn_back_the_last_trade_time() -> None:
    board, status = RecordingBoard(), FeedStatus(lambda: None)
    intake = Intake(board, OutlierGuard(), status)

    intake.take("plain-ws", [trade("1", age_s=1)], NOON_NS)
    intake.take("plain-ws", [trade("2", age_s=2)], NOON_NS)

    assert status.last_trades_ns == {"BTC": NOON_NS - NS_PER_S}
