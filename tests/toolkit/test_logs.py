from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog

from trinity_beast.toolkit.logs import mask, mask_event, set_up_logs

KEY = "tb_live_" + "A" * 38


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_keys_and_passwords_never_reach_a_log_line() -> None:
    event = mask_event(
        None,
        "info",
        {"event": f"used {KEY}", "api_key": KEY, "url": "valkey://:pw@host/0", "n": 1},
    )

    assert event == {
        "event": "used tb_…",
        "api_key": "…",
        "url": "valkey://:…@host/0",
        "n": 1,
    }
    assert mask("postgresql://u:p@h/d") == "postgresql://u:…@h/d"


def test_a_file_gets_one_json_object_a_line_from_the_level_up() -> None:
    out = io.StringIO()
    set_up_logs("warn", out)

    structlog.get_logger("t").info("quiet")
    structlog.get_logger("t").warning("loud", asset="BTC")

    line = json.loads(out.getvalue())
    assert (line["event"], line["asset"], line["level"]) == ("loud", "BTC", "warning")


def test_a_terminal_gets_readable_lines() -> None:
    out = Terminal()
    set_up_logs("debug", out)

    structlog.get_logger("t").debug("hello")

    assert "hello" in out.getvalue()
    assert "{" not in out.getvalue()
