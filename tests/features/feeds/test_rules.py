from __future__ import annotations

from typing import Any

import pytest

from trinity_beast.features.feeds.errors import FeedRowInvalid
from trinity_beast.features.feeds.paths import ABSENT, compile_path
from trinity_beast.features.feeds.rules import compile_rule

MATCHES: list[tuple[str, Any, bool]] = [
    ("type=match", {"type": "match"}, True),
    ("type=match", {"type": "ticker"}, False),
    ("type=match", {}, False),
    ("type=match|last_match", {"type": "last_match"}, True),
    ("type = match | last_match", {"type": "match"}, True),
    ("event=", {"event": ""}, True),
    ("event=", {"event": "update"}, False),
    ("n=7", {"n": 7}, True),
    ("n=7", {"n": "7"}, True),
    ("n=true", {"n": True}, True),
    ("n=false", {"n": False}, True),
    ("n=1", {"n": True}, False),
    ("n=null", {"n": None}, True),
    ("n=null", {}, False),
    ("n=1", {"n": [1]}, False),
    ("n=1", {"n": 10**5000}, False),
    ("n=1", {"n": {"1": 1}}, False),
    ("data=*", {"data": []}, True),
    ("data=*", {"data": 0}, True),
    ("data=*", {"data": None}, False),
    ("data=*", {}, False),
    ("topic^=publicTrade.", {"topic": "publicTrade.BTCUSDT"}, True),
    ("topic^=publicTrade.", {"topic": "tickers.BTCUSDT"}, False),
    ("topic^=publicTrade.", {"topic": 7}, False),
    ("topic^=a|b", {"topic": "beta"}, True),
    ("event!=update", {"event": "subscribe"}, True),
    ("event!=update", {"event": "update"}, False),
    ("event!=update|all", {"event": "all"}, False),
    ("event!=update", {}, True),
    ("!error", {"ok": 1}, True),
    ("!error", {"error": None}, True),
    ("!error", {"error": "x"}, False),
    ("!error", {"error": []}, False),
    ("arg.channel=trades,data=*", {"arg": {"channel": "trades"}, "data": []}, True),
    ("arg.channel=trades,data=*", {"arg": {"channel": "trades"}}, False),
    ("data.0.kind=t", {"data": [{"kind": "t"}]}, True),
    ("data.1.kind=t", {"data": [{"kind": "t"}]}, False),
    ("data.0=t", {"data": {"0": "t"}}, True),
    ("0=t", ["t"], True),
    ("0.kind=t", [{"kind": "t"}], True),
    ("kind=t", [{"kind": "t"}], False),
    ("kind=t", "kind", False),
    ("kind.deeper=t", {"kind": "t"}, False),
]


@pytest.mark.parametrize(("rule", "document", "expected"), MATCHES)
def test_a_rule_says_which_frames_are_trades(
    rule: str,
    document: object,
    *,
    expected: bool,
) -> None:
    assert compile_rule("x", rule)(document) is expected


@pytest.mark.parametrize(
    ("rule", "quoted"),
    [
        ("type", "'type'"),
        ("type=match,", "''"),
        (",type=match", "''"),
        ("type=match,,event=x", "''"),
        ("=match", "'=match'"),
        ("!", "''"),
        ("!a=b", "'!a=b'"),
        ("a=b=c", "'a=b=c'"),
        ("a^b", "'a^b'"),
        ("a=b*", "'a=b*'"),
        ("a!=*", "'a!=*'"),
        ("a^=*", "'a^=*'"),
        ("a..b=c", "'a..b'"),
        ("a.=c", "'a.'"),
    ],
)
def test_a_bad_rule_is_quoted_in_the_error(rule: str, quoted: str) -> None:
    with pytest.raises(FeedRowInvalid) as caught:
        compile_rule("acme", rule)

    assert caught.value.context["exchange"] == "acme"
    assert caught.value.context["column"] == "trade_channel_match"
    assert quoted in caught.value.message


@pytest.mark.parametrize(
    ("path", "document", "found"),
    [
        ("price", {"price": "1"}, "1"),
        ("a.b", {"a": {"b": None}}, None),
        ("a.b", {"a": {}}, ABSENT),
        ("a.b", {"a": None}, ABSENT),
        ("a.1", {"a": [1, 2]}, 2),
        ("a.x", {"a": [1, 2]}, ABSENT),
        ("3", [0, 1, 2, 3], 3),
        ("3", [0], ABSENT),
        ("3", {"3": "three"}, "three"),
        ("price", ["price"], ABSENT),
    ],
)
def test_a_path_leads_to_a_value_or_nowhere(
    path: str,
    document: object,
    found: object,
) -> None:
    assert compile_path("x", "price_path", path)(document) is found
