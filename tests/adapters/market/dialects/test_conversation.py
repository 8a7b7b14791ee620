from __future__ import annotations

from trinity_beast.adapters.market.dialects import Conversation, Listing
from trinity_beast.adapters.market.dialects.dialect import Closing, Dialect
from trinity_beast.adapters.market.dialects.okx import OkxDialect
from trinity_beast.adapters.market.dialects.plain import PlainDialect
from trinity_beast.adapters.market.dialects.wording import objects_in, parse_object
from trinity_beast.adapters.market.tape import Trade
from trinity_beast.kernel.time import NS_PER_S


def test_a_conversation_remembers_what_was_joined_and_left(talk: Conversation) -> None:
    talk.join("trades", ["A", "B"])
    talk.join("trades", ["A"], primed=False)
    talk.leave("trades", ["B", "C"])
    talk.leave("books", ["A"])

    assert talk.symbols("trades") == ("A",)
    assert talk.wants("trades", "A")
    assert not talk.wants("trades", "B")
    assert not talk.wants("books", "A")
    assert talk.follows("A")
    assert talk.subscribed
    assert talk.take_fresh() == [
        ("trades", "A", True),
        ("trades", "B", True),
        ("trades", "A", False),
    ]
    assert talk.take_fresh() == []


def test_a_listing_refuses_what_it_does_not_know_or_was_told_to() -> None:
    listing = Listing(["A", "B"])
    listing.refuse("B")
    assert listing.unknown_of(["A", "B", "C"]) == ["B", "C"]

    listing.accept("B")
    listing.accept("C")
    assert listing.unknown_of(["A", "B", "C"]) == []


def test_an_open_listing_takes_anything_but_what_was_refused() -> None:
    listing = Listing(None)
    listing.refuse("B")
    assert listing.unknown_of(["A", "B"]) == ["B"]

    listing.accept("B")
    assert listing.unknown_of(["A", "B"]) == []


def test_a_dialect_of_no_words_says_nothing(
    talk: Conversation,
    trades: list[Trade],
) -> None:
    silent = Dialect(Listing(None))

    said = [
        *silent.hello(talk, 1),
        *silent.hear(talk, "hello?", 1),
        *silent.primer("trades", trades, 1),
        *silent.frames(trades, 1),
        *silent.heartbeats(talk, lambda _: None, 1),
    ]
    assert said == []
    assert silent.symbol_of("BTC") == "BTC"
    assert silent.notice(talk) is None
    assert silent.overdue(talk, 10**18) is None


def test_a_plain_venue_takes_anything_for_a_subscription_and_beats(
    talk: Conversation,
) -> None:
    plain = PlainDialect(Listing(None))
    before = talk.subscribed
    plain.hear(talk, "anything", 1)

    assert (before, talk.subscribed) == (False, True)
    assert plain.heartbeats(talk, lambda _: None, 1) == ('{"channel":"heartbeat"}',)


def test_a_client_that_said_nothing_for_too_long_is_hung_up_on(
    talk: Conversation,
) -> None:
    okx = OkxDialect(Listing(None))
    talk.heard_ns = 5 * NS_PER_S

    assert okx.overdue(talk, 35 * NS_PER_S - 1) is None
    assert okx.overdue(talk, 35 * NS_PER_S) == Closing(4004, "No data received in 30s.")


def test_only_a_json_object_is_a_request() -> None:
    assert parse_object('{"a":1}') == {"a": 1}
    assert [parse_object(text) for text in ("", "[1]", "nul", "[" * 100_000)] == [
        None,
        None,
        None,
        None,
    ]
    assert objects_in("no list") == []
    assert objects_in([{"a": 1}, 2]) == [{"a": 1}, {}]
