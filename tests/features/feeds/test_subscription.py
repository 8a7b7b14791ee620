from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from trinity_beast.features.feeds.subscription import (
    ANSWER_NS,
    BETWEEN_NS,
    MOST_PER_HOUR,
    SubscriptionState,
)
from trinity_beast.features.feeds.templates import compile_subscribe
from trinity_beast.kernel.time import NS_PER_S

ALPHABET = [f"{letter}{letter}{letter}-USD" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXY"]
"""25 symbols, as an exchange has."""

PLAIN = '{"op":"subscribe","args":{SYMBOLS}}'


class Talk:
    """Plays a venue on one connection, with time that the test moves."""

    def __init__(
        self,
        symbols: Sequence[str] = ALPHABET,
        template: str = PLAIN,
        style: str = "standard",
        **options: Any,  # noqa: ANN401 - as SubscriptionState takes them
    ) -> None:
        compiled = compile_subscribe("x", template, style)
        self.state = SubscriptionState(compiled, **options)
        self.state.add(symbols)
        self.now_ns = 0
        self.asked: list[list[str]] = []

    def wait(self, seconds: float) -> list[list[str]]:
        """Let time pass and return the symbols of the requests sent meanwhile."""
        ends_ns = self.now_ns + round(seconds * NS_PER_S)
        sent: list[list[str]] = []
        while self.now_ns <= ends_ns:
            message = self.state.due(self.now_ns, 1_790_000_000)
            if message is None:
                due_ns = self.state.next_due_ns(self.now_ns)
                self.now_ns = max(due_ns or ends_ns + 1, self.now_ns + 1)
            else:
                sent.append(_symbols_in(message))
        self.now_ns = ends_ns
        self.asked += sent
        return sent

    def answer(self, document: object) -> str | None:
        return self.state.on_control(document, self.now_ns)

    def run(self, venue: Callable[[list[str]], list[object]], seconds: float) -> None:
        """Let a venue answer each request at once."""
        for _ in range(round(seconds / 0.05)):
            for symbols in self.wait(0.05):
                for document in venue(symbols):
                    self.answer(document)


def _symbols_in(message: str) -> list[str]:
    args: list[Any] = json.loads(message)["args"]
    return [arg["instId"] if isinstance(arg, dict) else arg for arg in args]


def ack(*symbols: str) -> dict[str, object]:
    return {"event": "subscribed", "symbols": list(symbols)}


def test_all_symbols_are_asked_for_at_once() -> None:
    talk = Talk()

    assert talk.wait(1) == [ALPHABET]
    assert talk.state.asked == 25
    assert not talk.state.settled


def test_a_frame_that_names_symbols_acks_them() -> None:
    talk = Talk()
    talk.wait(1)

    talk.answer({"type": "subscriptions", "channels": [{"product_ids": ALPHABET}]})

    assert talk.state.acked == set(ALPHABET)
    assert talk.state.settled
    assert talk.wait(60) == []


def test_symbols_may_be_acked_one_by_one() -> None:
    talk = Talk()
    talk.wait(1)

    for symbol in ALPHABET:
        assert not talk.state.settled
        talk.answer({"event": "subscribe", "arg": {"instId": symbol}})

    assert talk.state.settled


@pytest.mark.parametrize(
    ("template", "answer"),
    [
        (PLAIN, {"success": True, "ret_msg": "subscribe", "op": "subscribe"}),
        (
            '{"id":"1","method":"subscribe","args":{SYMBOLS}}',
            {"id": "1", "status": 200},
        ),
        ('{"id":7,"args":{SYMBOLS}}', {"result": None, "id": 7}),
        (PLAIN, {"status": "subscribed"}),
    ],
)
def test_a_nameless_answer_acks_the_oldest_open_request(
    template: str,
    answer: object,
) -> None:
    talk = Talk(ALPHABET[:12], template, "bybit")
    talk.wait(1)

    talk.answer(answer)
    assert talk.state.acked == set(ALPHABET[:10])
    talk.answer(answer)
    assert talk.state.acked == set(ALPHABET[:12])


@pytest.mark.parametrize(
    "document",
    [
        {"success": True, "ret_msg": "pong", "op": "ping"},
        {"channel": "heartbeat"},
        {"channel": "status", "data": [{"system": "online"}]},
        ["subscribe"],
        None,
    ],
)
def test_what_is_no_answer_acks_nothing(document: object) -> None:
    talk = Talk(ping='{"op":"ping"}')
    talk.wait(1)

    assert talk.answer(document) is None
    assert talk.state.acked == set()


def test_a_trade_acks_its_symbol() -> None:
    talk = Talk()
    talk.wait(1)

    talk.state.on_trade(ALPHABET[3])

    assert talk.state.acked == {ALPHABET[3]}
    assert talk.state.seen == {ALPHABET[3]}


def test_chunks_go_out_with_a_pause_between_them() -> None:
    talk = Talk(style="bybit")

    assert [len(chunk) for chunk in talk.wait(0)] == [10]
    assert talk.state.next_due_ns(talk.now_ns) == BETWEEN_NS
    assert [len(chunk) for chunk in talk.wait(0.05)] == [10]
    assert [len(chunk) for chunk in talk.wait(0.05)] == [5]


def test_nothing_more_is_due_once_all_is_settled() -> None:
    talk = Talk()
    talk.wait(0)
    assert talk.state.next_due_ns(0) == ANSWER_NS

    talk.answer(ack(*ALPHABET))

    assert talk.state.next_due_ns(talk.now_ns) is None


def test_what_is_not_answered_is_asked_once_more_and_then_reported() -> None:
    talk = Talk()
    talk.wait(1)
    talk.answer(ack(*ALPHABET[2:]))

    assert talk.wait(13) == []
    assert talk.wait(2) == [ALPHABET[:2]]
    assert talk.state.unacked == set()
    assert talk.wait(60) == []
    assert talk.state.unacked == set(ALPHABET[:2])
    assert talk.state.settled


def test_an_unacked_symbol_that_trades_after_all_is_fine() -> None:
    talk = Talk(["AAA-USD"])
    talk.wait(60)
    assert talk.state.unacked == {"AAA-USD"}

    talk.state.on_trade("AAA-USD")

    assert talk.state.unacked == set()
    assert talk.state.acked == {"AAA-USD"}


def test_a_request_whose_symbols_trade_meanwhile_awaits_no_answer() -> None:
    talk = Talk(ALPHABET[:1])
    talk.wait(0)
    talk.answer({"type": "error", "message": "rate limit exceeded"})
    talk.state.on_trade(ALPHABET[0])

    assert talk.wait(10) == [ALPHABET[:1]]
    assert talk.state.settled


def test_an_error_that_names_a_symbol_refuses_it_and_spares_the_others() -> None:
    """Kraken: the others are acked all the same."""
    talk = Talk()
    talk.wait(1)

    words = talk.answer(
        {"success": False, "error": "not supported", "symbol": "CCC-USD"}
    )
    talk.answer(ack(*(symbol for symbol in ALPHABET if symbol != "CCC-USD")))

    assert words == "not supported"
    assert talk.state.refused == {"CCC-USD": "not supported"}
    assert talk.wait(60) == []
    assert talk.state.settled


def test_when_one_symbol_fails_the_whole_request_the_others_are_asked_again() -> None:
    """Coinbase: one bad product and nothing is subscribed."""
    bad = {"CCC-USD", "DDD-USD"}

    def venue(symbols: list[str]) -> list[object]:
        wrong = [symbol for symbol in symbols if symbol in bad]
        if wrong:
            return [{"type": "error", "reason": f"{wrong[0]} is not a valid product"}]
        return [ack(*symbols)]

    talk = Talk()
    talk.run(venue, 5)

    assert talk.state.refused == {
        "CCC-USD": "CCC-USD is not a valid product",
        "DDD-USD": "DDD-USD is not a valid product",
    }
    assert talk.state.acked == set(ALPHABET) - bad
    assert talk.state.settled
    assert len(talk.asked) == 3


def test_an_error_that_repeats_the_whole_request_blames_whom_its_words_name() -> None:
    """Gate.io: the payload is echoed, the message names one pair."""

    def venue(symbols: list[str]) -> list[object]:
        if "CCC-USD" not in symbols:
            return [{"op": "subscribe", "payload": symbols, "error": None}]
        error = {"code": 2, "message": "unknown currency pair: CCC-USD"}
        return [{"op": "subscribe", "payload": symbols, "error": error}]

    talk = Talk()
    talk.run(venue, 5)

    assert talk.state.refused == {"CCC-USD": "unknown currency pair: CCC-USD"}
    assert len(talk.state.acked) == 24
    assert len(talk.asked) == 2


def anonymous(
    bad: set[str], *, echo: bool = False
) -> Callable[[list[str]], list[object]]:
    """Return a venue that fails whole requests and does not say why."""

    def venue(symbols: list[str]) -> list[object]:
        if not bad.intersection(symbols):
            return [{"success": True, "op": "subscribe"}]
        told: dict[str, object] = {"success": False, "msg": "bad", "op": "subscribe"}
        return [{**told, "args": symbols} if echo else told]

    return venue


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize(
    "bad",
    [
        {"AAA-USD"},
        {"YYY-USD"},
        {"CCC-USD", "XXX-USD"},
        {"GGG-USD", "HHH-USD", "III-USD"},
    ],
    ids=len,
)
def test_a_nameless_error_is_pinned_on_the_symbols_at_fault(
    bad: set[str],
    *,
    echo: bool,
) -> None:
    talk = Talk()

    talk.run(anonymous(bad, echo=echo), 20)

    assert talk.state.refused == dict.fromkeys(bad, "bad")
    assert talk.state.acked == set(ALPHABET) - bad
    assert talk.state.settled
    assert len(talk.asked) <= 2 * 5 * len(bad) + 1


def test_blame_falls_right_among_several_requests_in_flight() -> None:
    talk = Talk(style="bybit", template='{"op":"subscribe","args":{SYMBOLS:%s}}')

    talk.run(anonymous({"OOO-USD"}), 20)

    assert talk.state.refused == {"OOO-USD": "bad"}
    assert talk.state.acked == set(ALPHABET) - {"OOO-USD"}


def test_a_venue_that_refuses_everything_has_refused_everything() -> None:
    talk = Talk(ALPHABET[:4])

    talk.run(anonymous(set(ALPHABET)), 20)

    assert talk.state.refused == dict.fromkeys(ALPHABET[:4], "bad")
    assert talk.state.settled


def test_while_blame_is_open_one_request_waits_for_the_other() -> None:
    talk = Talk(ALPHABET[:4])
    talk.wait(0)
    talk.answer({"success": False})

    assert talk.wait(1) == [ALPHABET[:2]]
    assert talk.wait(3) == []
    talk.answer(ack(*ALPHABET[:2]))
    assert talk.wait(0) == [ALPHABET[2:4]]


def test_a_request_without_an_answer_does_not_hold_up_the_next_for_ever() -> None:
    talk = Talk(ALPHABET[:4])
    talk.wait(0)
    talk.answer({"success": False})

    assert talk.wait(6) == [ALPHABET[:2], ALPHABET[2:4]]


def test_halves_leave_out_what_was_acked_meanwhile() -> None:
    talk = Talk(ALPHABET[:4])
    talk.wait(0)
    talk.answer(ack(*ALPHABET[:3]))
    talk.answer({"success": False})

    assert talk.wait(1) == [["DDD-USD"]]


@pytest.mark.parametrize("named", [True, False])
def test_already_subscribed_is_as_good_as_an_ack(*, named: bool) -> None:
    talk = Talk(["AAA-USD"])
    talk.wait(0)
    words = f"Already subscribed{' to AAA-USD' if named else ''}"

    assert talk.answer({"success": False, "msg": words}) == words
    assert talk.state.acked == {"AAA-USD"}
    assert talk.state.refused == {}


def test_a_rate_limit_refuses_nobody_and_is_waited_out() -> None:
    talk = Talk()
    talk.wait(0)

    talk.answer({"type": "error", "message": "rate limit exceeded"})

    assert talk.wait(4.9) == []
    assert talk.wait(0.2) == [ALPHABET]
    assert talk.state.refused == {}


def test_a_rate_limit_without_end_is_reported_as_unacked() -> None:
    talk = Talk()

    talk.run(lambda _: [{"type": "error", "message": "rate limit exceeded"}], 60)

    assert talk.state.unacked == set(ALPHABET)
    assert talk.state.refused == {}
    assert talk.state.settled
    assert len(talk.asked) == 6


def test_an_error_about_our_ping_is_no_answer_to_a_request() -> None:
    talk = Talk(ping='{"op":"ping"}')
    talk.wait(0)

    words = talk.answer({"success": False, "ret_msg": "bad ping", "op": "ping"})

    assert words == "bad ping"
    assert talk.state.refused == {}
    assert talk.wait(1) == []


def test_an_error_out_of_the_blue_blames_nobody() -> None:
    talk = Talk()
    talk.wait(0)
    talk.answer(ack(*ALPHABET))

    assert talk.answer({"type": "error", "message": "AAA-USD"}) == "AAA-USD"
    assert talk.state.refused == {}


def test_a_refused_symbol_that_trades_was_blamed_wrongly() -> None:
    talk = Talk(["AAA-USD"])
    talk.wait(0)
    talk.answer({"type": "error", "message": "no"})
    assert talk.state.refused == {"AAA-USD": "no"}

    talk.state.on_trade("AAA-USD")

    assert talk.state.refused == {}
    assert talk.state.acked == {"AAA-USD"}


def test_symbols_that_were_refused_before_are_asked_alone_and_last() -> None:
    talk = Talk(ALPHABET[:5], doubtful={"BBB-USD", "DDD-USD"})

    talk.run(anonymous({"BBB-USD"}), 5)

    assert talk.asked == [
        ["AAA-USD", "CCC-USD", "EEE-USD"],
        ["BBB-USD"],
        ["DDD-USD"],
    ]
    assert talk.state.refused == {"BBB-USD": "bad"}


def test_symbols_can_be_added_to_a_running_connection() -> None:
    talk = Talk(ALPHABET[:2])
    talk.wait(0)
    talk.answer(ack(*ALPHABET[:2]))

    talk.state.add(ALPHABET[:4])

    assert talk.wait(1) == [ALPHABET[2:4]]
    assert talk.state.asked == 4
    talk.answer(ack(*ALPHABET[2:4]))
    assert talk.state.acked == set(ALPHABET[:4])


def test_a_venue_without_requests_has_nothing_to_settle() -> None:
    talk = Talk(template="")

    assert talk.wait(60) == []
    assert talk.state.settled


def test_a_ping_that_is_no_json_hides_no_answer() -> None:
    talk = Talk(ping="ping")
    talk.wait(0)

    talk.answer({"op": "subscribe"})

    assert talk.state.acked == set(ALPHABET)


def test_requests_stay_below_the_hourly_limit_of_a_connection() -> None:
    talk = Talk()
    for number in range(MOST_PER_HOUR + 1):
        talk.state.add([f"NEW{number}-USD"])

    sent = talk.wait(60)
    assert len(sent) == MOST_PER_HOUR
    later = talk.wait(3_600)
    assert ["NEW400-USD"] in later
