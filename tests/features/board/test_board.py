from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trinity_beast.features.board import (
    BoardFull,
    BoardInUse,
    BoardReader,
    BoardRefused,
    BoardUnreadable,
    BoardWriter,
    Quote,
    Tick,
    layout,
)
from trinity_beast.kernel.time import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator

T0 = 1_790_000_000 * NS_PER_S


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "board"


@pytest.fixture
def writer(path: Path) -> Iterator[BoardWriter]:
    board = BoardWriter.create(path)
    yield board
    board.close()


@pytest.fixture
def reader(writer: BoardWriter, path: Path) -> Iterator[BoardReader]:
    board = BoardReader.open(path)
    yield board
    board.close()


def tick(price: str = "65000.10", at_ns: int = T0, *, late_ns: int = 0) -> Tick:
    return Tick(price, "coinbase-ws", at_ns, at_ns + late_ns, snapshot=False)


def test_a_published_price_is_read_with_all_its_digits(
    writer: BoardWriter,
    reader: BoardReader,
) -> None:
    assert writer.publish("BTC", tick("65000.10"))

    assert reader.quote("BTC") == Quote(
        asset="BTC",
        price="65000.10",
        source="coinbase-ws",
        traded_at_ns=T0,
        received_at_ns=T0,
        as_of_ns=T0,
        snapshot=False,
        sequence=1,
    )


def test_an_asset_without_a_price_has_no_quote(reader: BoardReader) -> None:
    assert reader.quote("BTC") is None


def test_an_older_trade_never_replaces_a_newer_one(
    writer: BoardWriter,
    reader: BoardReader,
) -> None:
    writer.publish("BTC", tick("2", T0 + 1))

    assert not writer.publish("BTC", tick("1", T0))
    quote = reader.quote("BTC")
    assert quote is not None
    assert quote.price == "2"


def test_of_two_trades_of_one_instant_the_later_arrival_wins(
    writer: BoardWriter,
    reader: BoardReader,
) -> None:
    writer.publish("BTC", tick("1"))

    assert writer.publish("BTC", tick("2"))
    quote = reader.quote("BTC")
    assert quote is not None
    assert (quote.price, quote.sequence) == ("2", 2)


def test_the_age_of_backfill_counts_from_the_trade(
    writer: BoardWriter,
    reader: BoardReader,
) -> None:
    writer.publish("OKB", tick(late_ns=20 * 3600 * NS_PER_S))
    writer.publish("NEO", tick(late_ns=NS_PER_S))

    old, fresh = reader.quote("OKB"), reader.quote("NEO")
    assert old is not None
    assert fresh is not None
    assert old.as_of_ns == T0
    assert fresh.as_of_ns == T0 + NS_PER_S


def test_a_reader_finds_assets_that_came_after_it(
    writer: BoardWriter,
    reader: BoardReader,
) -> None:
    writer.publish("BTC", tick())
    reader.quote("BTC")

    writer.publish("ETH", tick("1800"))

    assert reader.quote("ETH") is not None
    assert reader.assets() == ("BTC", "ETH")


def test_an_unchanged_price_is_not_read_twice(
    writer: BoardWriter,
    reader: BoardReader,
) -> None:
    writer.publish("BTC", tick())

    assert reader.quote("BTC") is reader.quote("BTC")


def test_a_source_is_heard_when_the_writer_says_so(
    writer: BoardWriter,
    reader: BoardReader,
) -> None:
    assert reader.heard_at_ns("okx-ws") == 0

    writer.heard("okx-ws", T0)
    writer.heard("okx-ws", T0 + 5)

    assert reader.heard_at_ns("okx-ws") == T0 + 5


def test_the_report_is_read_whole(writer: BoardWriter, reader: BoardReader) -> None:
    assert reader.report() == b""

    writer.write_report(b'{"exchanges":[]}')

    assert reader.report() == b'{"exchanges":[]}'


def test_a_report_that_does_not_fit_is_replaced_by_an_empty_one(
    writer: BoardWriter,
    reader: BoardReader,
) -> None:
    writer.write_report(b"x" * (layout.REPORT_LENGTH + 1))

    assert reader.report() == b""


def test_a_half_written_report_leaves_the_last_whole_one(
    writer: BoardWriter,
    reader: BoardReader,
    path: Path,
) -> None:
    writer.write_report(b"whole")
    assert reader.report() == b"whole"

    _overwrite(path, layout.REPORT_BODY_AT, b"torn!")

    assert reader.report() == b"whole"


def test_a_board_has_one_writer(writer: BoardWriter, path: Path) -> None:
    with pytest.raises(BoardInUse) as caught:
        BoardWriter.create(path)

    assert str(path) in caught.value.message


def test_a_record_torn_by_a_killed_writer_shows_the_last_whole_price(
    writer: BoardWriter,
    reader: BoardReader,
    path: Path,
) -> None:
    writer.publish("BTC", tick("1"))
    before = reader.quote("BTC")

    # The sequence and the first bytes of a price that never got whole.
    _overwrite(path, layout.record_at(0), (2).to_bytes(8, "little"))
    _overwrite(path, layout.record_at(0) + 32, b"999")

    assert reader.quote("BTC") == before


def test_the_next_writer_repairs_a_torn_record(path: Path) -> None:
    first = BoardWriter.create(path)
    first.publish("BTC", tick("1", T0 + 10))
    first.close()
    _overwrite(path, layout.record_at(0) + 32, b"999")

    second = BoardWriter.create(path, keep_prices=True)
    reader = BoardReader.open(path)

    assert reader.quote("BTC") is None
    assert second.publish("BTC", tick("7", T0))
    repaired = reader.quote("BTC")
    assert repaired is not None
    assert repaired.price == "7"
    reader.close()
    second.close()


def test_prices_can_survive_their_writer(path: Path) -> None:
    first = BoardWriter.create(path)
    first.publish("BTC", tick("1"))
    first.heard("coinbase-ws", T0)
    first.write_report(b"one")
    first.close()

    second = BoardWriter.create(path, keep_prices=True)
    reader = BoardReader.open(path)

    assert reader.quote("BTC") is not None
    assert reader.heard_at_ns("coinbase-ws") == T0
    assert not second.publish("BTC", tick("0.5", T0 - 1))
    second.write_report(b"two")
    assert reader.report() == b"two"
    reader.close()
    second.close()


def test_a_new_writer_starts_with_an_empty_board_and_readers_follow(
    path: Path,
) -> None:
    first = BoardWriter.create(path)
    first.publish("BTC", tick("1"))
    first.publish("ETH", tick("2"))
    reader = BoardReader.open(path)
    reader.quote("BTC")
    reader.quote("ETH")
    first.close()

    second = BoardWriter.create(path)
    second.publish("ETH", tick("3", T0 - 5))

    assert reader.quote("BTC") is None
    eth = reader.quote("ETH")
    assert eth is not None
    assert eth.price == "3"
    reader.close()
    second.close()


@pytest.mark.parametrize("asset", ["", "A" * 21, "Ä", "A\n"])
def test_a_name_that_does_not_fit_is_refused(writer: BoardWriter, asset: str) -> None:
    with pytest.raises(BoardRefused):
        writer.publish(asset, tick())


@pytest.mark.parametrize("price", ["", "1" * 52, "१"])
def test_a_price_that_does_not_fit_is_refused(writer: BoardWriter, price: str) -> None:
    with pytest.raises(BoardRefused):
        writer.publish("BTC", tick(price))


def test_a_full_board_says_so(writer: BoardWriter) -> None:
    for number in range(layout.ASSETS):
        writer.publish(f"A{number}", tick())
    for number in range(1, layout.SOURCES):
        writer.heard(f"s{number}", T0)

    with pytest.raises(BoardFull):
        writer.publish("ONEMORE", tick())
    with pytest.raises(BoardFull):
        writer.heard("one-more", T0)


def test_there_is_nothing_to_read_without_a_board(tmp_path: Path) -> None:
    with pytest.raises(BoardUnreadable):
        BoardReader.open(tmp_path / "none")


@pytest.mark.parametrize("content", [b"short", bytes(layout.SIZE)])
def test_a_file_that_is_no_board_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "board"
    path.write_bytes(content)

    with pytest.raises(BoardUnreadable):
        BoardReader.open(path)


def test_readers_in_another_process_never_see_a_mixed_record(path: Path) -> None:
    writer = BoardWriter.create(path)
    writer.publish("BTC", tick("1" * 20, T0 + 1))
    context = multiprocessing.get_context("spawn")
    inbox = context.SimpleQueue()
    child = context.Process(target=_watch, args=(path, inbox))
    child.start()
    while not inbox.get():
        pass
    number = 1
    while child.is_alive():
        number += 1
        writer.publish("BTC", tick(str(number % 10) * 20, T0 + number % 10 + number))
    child.join()
    writer.close()

    assert inbox.get() == 0


def _watch(path: Path, outbox: multiprocessing.SimpleQueue[int]) -> None:
    reader = BoardReader.open(path)
    outbox.put(1)
    mixed = 0
    for _ in range(20_000):
        quote = reader.quote("BTC")
        if quote is None or len(set(quote.price)) != 1:
            mixed += 1
    outbox.put(mixed)


def _overwrite(path: Path, at: int, raw: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(raw)
