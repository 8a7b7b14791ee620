"""The short way and the ordinary way give the same answers, to the byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st

from support.clocks import FixedClock
from support.lpo import World
from support.randomness import SeededRandomness
from support.short_way import (
    Listener,
    Raw,
    listening_to,
    without_ids,
    without_new,
)
from trinity_beast.features.board import BoardReader, BoardWriter
from trinity_beast.features.limits import KeyLimits

if TYPE_CHECKING:
    from trinity_beast.features.usage import UsageRecord

HOUR_S = 3_600
MONTHLY = {"tier": "enterprise", "rate_limit_qps": 3, "burst_limit": 4}
KEYS: dict[str, dict[str, object]] = {
    "pro": {},
    "tbc": {"response_format": "tbc"},
    "nobody's": {"user_id": None},
    "partner": {
        "tier": "partner",
        "rate_limit_qps": 0,
        "burst_limit": 0,
        "query_limit": 999_999_999,
    },
    "partner with a month": {"tier": "partner", "rate_limit_qps": 0, "burst_limit": 0},
    "unlimited": {"tier": "unlimited", "query_limit": 999_999_999},
    "three a month": {**MONTHLY, "query_limit": 3},
    "late": {"subscription_status": "past_due"},
    "revoked": {"revoked": True},
    "nothing": {"rate_limit_qps": 0, "burst_limit": 0},
}


class Side:
    """One of the two ways, on a connection that is opened again when it is closed."""

    def __init__(self, listener: Listener, ends: AsyncExitStack) -> None:
        self.listener = listener
        self.world = listener.world
        self.secrets = {
            name: self.world.new_key(**changes) for name, changes in KEYS.items()
        }
        self._ends = ends
        self._connection: Raw | None = None

    async def ask(self, raw: bytes, *, is_head: bool) -> bytes:
        """Return what comes back; all up to the end when the connection is closed."""
        if self._connection is None:
            connected = self.listener.connected()
            self._connection = await self._ends.enter_async_context(connected)
        answer = await self._connection.ask(raw, is_head=is_head)
        if b"\r\nconnection: close\r\n" in answer:
            answer += await self._connection.rest()
            self._connection = None
        return answer

    def hang_up(self) -> None:
        if self._connection is not None:
            self._connection.writer.close()
            self._connection = None

    def records(self) -> list[UsageRecord]:
        return self.world.records()


class Pair(NamedTuple):
    ordinary: Side
    short: Side

    @property
    def worlds(self) -> tuple[World, World]:
        return self.ordinary.world, self.short.world


def new_world(folder: Path, ends: AsyncExitStack) -> World:
    folder.mkdir()
    writer = BoardWriter.create(folder / "board")
    reader = BoardReader.open(folder / "board")
    ends.callback(writer.close)
    ends.callback(reader.close)
    return World(writer, reader, FixedClock(), SeededRandomness())


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as ends:
        sides: list[Side] = []
        for name, is_short in (("ordinary", False), ("short", True)):
            world = new_world(tmp_path / name, ends)
            serving = listening_to(world, is_short=is_short)
            sides.append(Side(await ends.enter_async_context(serving), ends))
        yield Pair(*sides)


@pytest.fixture
def anyone(pair: Pair) -> str:
    return pair.short.secrets["pro"]


class Question(NamedTuple):
    """A request in its parts; the key is put in by each side's own secret."""

    method: str
    target: str
    key: str
    key_header: str
    headers: tuple[str, ...]
    version: str
    body: bytes = b""

    def raw(self, secrets: dict[str, str]) -> bytes:
        secret = secrets.get(self.key, "tb_live_" + "0" * 38)
        lines = [
            f"{self.method} {self.target} HTTP/{self.version}",
            *self.headers,
            *self.key_header.format(secret=secret).split("\n"),
        ]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        text = "".join(f"{line}\r\n" for line in lines if line)
        return text.encode("latin-1") + b"\r\n" + self.body


def one_target(asset: str, more: list[str]) -> str:
    return "/price?" + "&".join([f"asset={asset}", *more])


def batch_target(assets: list[str], more: list[str]) -> str:
    return "/prices?" + "&".join([f"assets={','.join(assets)}", *more])


def usual_target(path: str, asset: str, form: str) -> str:
    return f"{path}{asset}{form}"


ASSETS = st.sampled_from(
    ["BTC", "btc", "bTc", "ETH", "1inch", "DOGE", "XRP", "XXX", "", "B%54C", "+BTC+"],
)
PARAMETERS = st.sampled_from(
    [
        "format=tbc",
        "format=plain",
        "format=xml",
        "max_age_ms=1000",
        "max_age_ms=0",
        "unknown=1",
        "asset=ETH",
        "",
        "key=1",
        "%",
    ],
)
TARGETS = st.one_of(
    st.builds(
        one_target,
        ASSETS,
        st.lists(PARAMETERS, max_size=2),
    ),
    st.builds(
        batch_target,
        st.lists(ASSETS, max_size=4),
        st.lists(PARAMETERS, max_size=1),
    ),
    st.sampled_from(["/price", "/account/key", "/account/limits", "/assets", "/nope"]),
)
USUAL_TARGETS = st.builds(
    usual_target,
    st.sampled_from(["/price?asset=", "/prices?assets=ETH,"]),
    st.sampled_from(["BTC", "btc", "1inch", "%42tC"]),
    st.sampled_from(["", "&format=tbc", "&format=plain", "&unknown=1"]),
)
KEY_HEADERS = st.sampled_from(
    [
        "Authorization: Bearer {secret}",
        "authorization: bearer   {secret} ",
        "AUTHORIZATION: BEARER {secret}",
        "X-API-Key: {secret}",
        "x-api-key:{secret}",
        "X-API-Key: {secret}\nAuthorization: Bearer {secret}",
        "X-API-Key: {secret}\nX-API-Key: {secret}",
        "X-API-Key: other\nAuthorization: Bearer {secret}",
        "Authorization: Basic {secret}",
        "",
    ],
)
HEADERS = st.lists(
    st.sampled_from(
        [
            "Host: prices",
            "User-Agent: test/1",
            "Accept: */*",
            "Connection: keep-alive",
            "Connection: close",
            "Expect: 100-continue",
            "Content-Length: 0",
            "X-Forwarded-For: 198.51.100.7",
            "Connection: Upgrade",
        ],
    ),
    max_size=4,
    unique=True,
).map(tuple)
BODIES = st.sampled_from(
    [
        b'{"assets":["BTC","ETH"]}',
        b'{"assets":["btc","XXX"],"format":"tbc"}',
        b'{"assets":["BTC"],"max_age_ms":1}',
        b'{"assets":"BTC"}',
        b"[]",
    ],
)
QUESTIONS = st.one_of(
    st.builds(
        Question,
        st.sampled_from(["GET", "GET", "GET", "HEAD", "POST", "PUT"]),
        TARGETS,
        st.sampled_from([*KEYS, "unknown"]),
        KEY_HEADERS,
        HEADERS,
        st.sampled_from(["1.1", "1.1", "1.1", "1.0"]),
        st.just(b""),
    ),
    st.builds(
        Question,
        st.just("GET"),
        USUAL_TARGETS,
        st.sampled_from([*KEYS]),
        KEY_HEADERS,
        st.just(("Host: prices", "Connection: keep-alive")),
        st.just("1.1"),
        st.just(b""),
    ),
    st.builds(
        Question,
        st.just("POST"),
        st.sampled_from(["/prices", "/prices?format=plain"]),
        st.sampled_from(list(KEYS)),
        KEY_HEADERS,
        st.just(("Host: prices",)),
        st.just("1.1"),
        BODIES,
    ),
)
HAPPENINGS = st.lists(
    st.sampled_from(["nothing", "nothing", "trade", "tenth", "second", "silence"]),
    min_size=1,
    max_size=3,
)
PLAIN_QUESTION = Question(
    "GET",
    "/price?asset=BTC",
    "pro",
    "X-API-Key: {secret}",
    ("Host: prices",),
    "1.1",
)


def happen(what: str, worlds: tuple[World, World]) -> None:
    for world in worlds:
        match what:
            case "trade":
                world.trade("BTC", f"65000.{world.clock.now_ns() % 997}0")
                world.trade("ETH", "3000.50")
            case "tenth":
                world.clock.advance(0.1)
            case "second":
                world.clock.advance(1.04)
            case "silence":
                world.clock.advance(45)
            case _:
                pass


@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(question=QUESTIONS, happenings=HAPPENINGS)
@example(question=PLAIN_QUESTION, happenings=["nothing", "trade", "tenth", "second"])
@example(question=PLAIN_QUESTION, happenings=["silence", "trade"])
@example(question=PLAIN_QUESTION, happenings=["nothing"] * 12)
@example(
    question=PLAIN_QUESTION._replace(key="three a month"),
    happenings=["nothing"] * 5,
)
async def test_both_ways_give_the_same_answers_and_records(
    pair: Pair,
    question: Question,
    happenings: list[str],
) -> None:
    for world in pair.worlds:
        world.clock.advance(HOUR_S)
        world.trade("1INCH", "0.10")
    happen("trade", pair.worlds)
    is_head = question.method == "HEAD"
    for side in pair:
        side.hang_up()

    for what in ["nothing", *happenings]:
        happen(what, pair.worlds)
        answers = [
            await side.ask(question.raw(side.secrets), is_head=is_head) for side in pair
        ]
        assert without_new(answers[0]) == without_new(answers[1])
    ordinary, short = (without_ids(side.records()) for side in pair)

    assert ordinary == short


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("target", ["/price?asset=BTC", "/prices?assets=ETH,BTC,1inch"])
async def test_each_kind_of_key_is_answered_alike(
    pair: Pair,
    key: str,
    target: str,
) -> None:
    question = PLAIN_QUESTION._replace(key=key, target=target)
    happen("trade", pair.worlds)
    for world in pair.worlds:
        world.trade("1INCH", "0.10")
    answers: list[list[bytes]] = [[], []]

    for what in ["nothing", "nothing", "trade", "second", "tenth", "silence", "trade"]:
        happen(what, pair.worlds)
        for side, heard in zip(pair, answers, strict=True):
            raw = question.raw(side.secrets)
            heard.append(without_new(await side.ask(raw, is_head=False)))

    ordinary, short = (without_ids(side.records()) for side in pair)
    states = [
        (await side.world.parts.keys.slot(side.secrets[key])).state
        for side in pair
        if key != "revoked"
    ]
    histories = [
        list(state.history.newest_first())
        for state in states
        if isinstance(state, KeyLimits)
    ]
    assert answers[0] == answers[1]
    assert ordinary == short
    assert histories[:1] == histories[1:]
    assert (pair.short.listener.taken > 0) is (key not in {"revoked", "nothing"})


async def test_ids_are_new_in_each_answer_and_found_in_the_records(
    pair: Pair,
) -> None:
    side = pair.short
    happen("trade", pair.worlds)
    raw = PLAIN_QUESTION._replace(key="partner").raw(side.secrets)

    answers = [await side.ask(raw, is_head=False) for _ in range(50)]

    ids = [answer.split(b"x-request-id: ")[1][:36].decode() for answer in answers]
    assert side.listener.taken == 49
    assert len(set(ids)) == 50
    assert ids[1:] == sorted(ids[1:])
    assert [text.replace("-", "") for text in ids[1:]] == [
        record.id.hex() for record in side.records()[1:]
    ]


async def test_many_connections_ask_at_once(pair: Pair) -> None:
    side = pair.short
    happen("trade", pair.worlds)
    raw = PLAIN_QUESTION._replace(key="partner").raw(side.secrets)

    async def client() -> list[bytes]:
        async with side.listener.connected() as connection:
            return [without_new(await connection.ask(raw)) for _ in range(10)]

    answers = await asyncio.gather(*(client() for _ in range(20)))

    assert len({answer for heard in answers for answer in heard}) == 1
    assert len(side.records()) == 200
