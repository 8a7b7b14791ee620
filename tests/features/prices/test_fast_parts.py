"""The parts of the short way, each by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from hypothesis import HealthCheck, given, settings, strategies as st

from support.clocks import NOON_NS, FixedClock
from support.keys import a_key
from support.randomness import SeededRandomness
from trinity_beast.features.keys import FREE_TEMPLATE, KeySlot, terms_of
from trinity_beast.features.limits import Limiter, rate_limit_headers
from trinity_beast.features.prices.fast.ids import Ids
from trinity_beast.features.prices.fast.lines import LimitLines
from trinity_beast.features.prices.fast.memory import MOST_PEERS, Known, Memory
from trinity_beast.features.prices.fast.pages import OnePrice
from trinity_beast.features.prices.fast.texts import PriceTexts
from trinity_beast.features.prices.model import (
    Price,
    PriceRequest,
    age_of,
    price_fields,
)
from trinity_beast.features.prices.status import freshness_of
from trinity_beast.kernel.time import NS_PER_MS, NS_PER_S, month_end_ns, rfc3339_ms

if TYPE_CHECKING:
    from support.lpo import World


def test_a_memory_forgets_what_was_not_used_lately() -> None:
    memory: Memory[str, int] = Memory(2)
    memory.remember("a", 1)
    memory.remember("b", 2)
    memory.remember("c", 3)  # a and b grow old
    assert memory.recall("a") == 1  # and a is young again
    memory.remember("d", 4)  # b is forgotten, a and c grow old

    assert [memory.recall(name) for name in "bdac"] == [None, 4, 1, 3]


def test_a_memory_takes_a_new_value_for_an_old_name() -> None:
    memory: Memory[str, int] = Memory(1)
    memory.remember("a", 1)
    memory.remember("a", 2)

    assert memory.recall("a") == 2
    assert dict(memory) == {"a": 2}


@given(names=st.lists(st.integers(0, 30), max_size=200), most=st.integers(1, 8))
def test_a_memory_is_bounded_and_never_wrong(names: list[int], most: int) -> None:
    memory: Memory[int, int] = Memory(most)

    for name in names:
        if memory.recall(name) is None:
            memory.remember(name, name * 2)

        assert memory.recall(name) == name * 2
        assert len(memory) <= most


def test_ids_are_uuids_of_their_millisecond_and_never_repeat() -> None:
    ids = Ids(SeededRandomness())
    instants = [NOON_NS + n * NS_PER_MS // 3_000 for n in range(20_000)]

    made = [ids.next(at_ns) for at_ns in instants]

    uuids = [UUID(bytes=raw) for raw, _ in made]
    assert [str(uuid).encode() for uuid in uuids] == [text for _, text in made]
    assert [uuid.int >> 80 for uuid in uuids] == [ns // NS_PER_MS for ns in instants]
    assert {(uuid.version, uuid.variant) for uuid in uuids} == {
        (7, "specified in RFC 4122"),
    }
    assert len(set(uuids)) == len(uuids)


def test_more_ids_than_fit_a_millisecond_get_new_randomness() -> None:
    ids = Ids(SeededRandomness())

    made = [ids.next(NOON_NS)[0] for _ in range(5_000)]

    assert len(set(made)) == 5_000
    assert len({raw[:-2] for raw in made}) == 2


def test_ids_follow_a_clock_that_goes_back() -> None:
    ids = Ids(SeededRandomness())

    made = [UUID(bytes=ids.next(NOON_NS - n * NS_PER_S)[0]) for n in range(3)]

    assert [uuid.int >> 80 for uuid in made] == [
        (NOON_NS - n * NS_PER_S) // NS_PER_MS for n in range(3)
    ]


KINDS = st.fixed_dictionaries(
    {
        "tier": st.sampled_from(["pro", "partner", "unlimited"]),
        "rate_limit_qps": st.sampled_from([0, 1, 5, 1000]),
        "burst_limit": st.sampled_from([0, 1, 3, 2000]),
        "query_limit": st.sampled_from([0, 3, 50_000, 999_999_999]),
        "subscription_status": st.sampled_from(["active", "past_due"]),
        "payment_failed_at_ns": st.sampled_from([None, NOON_NS, NOON_NS - NS_PER_S]),
    },
)
WAITS = st.lists(
    st.sampled_from([0, 0, 1, NS_PER_S // 3, NS_PER_S, 86_400 * NS_PER_S * 12]),
    max_size=8,
)


@given(kind=KINDS, waits=WAITS)
def test_lines_say_what_the_headers_say(
    kind: dict[str, object],
    waits: list[int],
) -> None:
    clock = FixedClock()
    limiter = Limiter(clock)
    key = a_key(**kind)
    slot = KeySlot(key.key_hash, key)
    lines = LimitLines()

    for wait_ns in waits:
        clock.wall_ns += wait_ns
        clock.steady_ns += wait_ns
        terms = terms_of(key, FREE_TEMPLATE, clock.now_ns(), 7)
        decision = limiter.check(slot, terms, clock.now_ns())
        if not decision.granted:
            continue
        limiter.answered(decision, success=True)
        headers = rate_limit_headers(decision)
        if terms.grace_until_ns is not None:
            headers["X-Grace-Until"] = rfc3339_ms(terms.grace_until_ns)
        expected = [f"{name.lower()}: {value}\r\n" for name, value in headers.items()]

        assert lines.of(decision).decode() == "".join(expected)


def test_lines_begin_anew_with_the_month() -> None:
    clock = FixedClock()
    limiter = Limiter(clock)
    slot = KeySlot("a", a_key())
    terms = terms_of(slot.key, FREE_TEMPLATE, clock.now_ns(), 7)
    lines = LimitLines()
    lines.of(limiter.check(slot, terms, clock.now_ns()))

    october = limiter.check(slot, terms, month_end_ns(clock.now_ns()))

    assert b'"month";q=50000;w=2678400\r\n' in lines.of(october)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.one_of(
            st.integers(0, 4 * NS_PER_S),
            st.sampled_from(["trade", "heard", "late"]),
        ),
        max_size=12,
    ),
)
def test_a_text_is_what_would_be_rendered_now(
    world: World,
    steps: list[int | str],
) -> None:
    parts = world.parts
    texts = PriceTexts(parts)
    world.trade("BTC", "1.50")

    for step in steps:
        if isinstance(step, int):
            world.clock.wall_ns += step * 3
        elif step == "trade":
            world.trade("BTC", f"{world.clock.now_ns() % 1000 + 1}.0")
        elif step == "heard":
            world.board.heard("coinbase-ws", world.clock.now_ns())
        else:
            world.clock.wall_ns += 29 * NS_PER_S
        now_ns = world.clock.now_ns()
        quote = parts.board.quote("BTC")
        assert quote is not None
        heard_at_ns = parts.board.heard_at_ns(quote.source)
        may = freshness_of(parts.parameters).may_serve(quote, heard_at_ns, now_ns)
        text = texts.of("BTC", now_ns)

        assert (text is not None) is may
        if text is not None:
            rendered = price_fields(Price(quote, age_of(quote, now_ns), 0))
            assert text.fields == rendered
            assert texts.of("BTC", now_ns) is text


def test_there_is_no_text_of_what_is_not_there(world: World) -> None:
    texts = PriceTexts(world.parts)
    world.trade("PEPE", "1")

    assert texts.of("BTC", NOON_NS) is None
    assert texts.of("PEPE", NOON_NS) is None


def test_no_more_load_balancers_are_remembered_than_there_may_be(
    world: World,
) -> None:
    request = PriceRequest(
        secret="",
        endpoint="/price",
        query_type="price",
        ip="",
        request_id="",
        assets=("BTC",),
    )
    page = OnePrice(b"{", PriceTexts(world.parts), "BTC")
    known = Known(request, KeySlot("a", a_key()), page)

    for number in range(MOST_PEERS + 1):
        known.add_ip(f"192.0.2.{number}", "198.51.100.7")

    assert known.ips == {f"192.0.2.{MOST_PEERS}": "198.51.100.7"}
