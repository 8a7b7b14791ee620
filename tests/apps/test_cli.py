"""The commands, run in this process on this worker's database."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
import structlog
from sqlalchemy import text
from typer.testing import CliRunner, Result

from support.ports import free_port
from trinity_beast.adapters.postgres import make_engine
from trinity_beast.apps.cli.app import app

if TYPE_CHECKING:
    from trinity_beast.toolkit.work import UnitOfWork

KEY = re.compile(r"tb_live_[0-9A-Za-z]{38}")


class Beast(Protocol):
    def __call__(self, *words: str) -> Result: ...


@pytest.fixture
def beast(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    database_url: str,
    valkey_base_url: str,
) -> Iterator[Beast]:
    before = structlog.get_config()
    monkeypatch.setenv("BEAST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("VALKEY_URL", valkey_base_url)
    monkeypatch.setenv("LPO_PORT", str(free_port()))
    monkeypatch.setenv("LPO_UDP_PORT", str(free_port()))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("BEAST_KEY", raising=False)
    yield lambda *words: CliRunner().invoke(app, words)
    structlog.configure(**before)


@pytest.fixture
async def _seeded(seeded_work: UnitOfWork) -> None:
    """Leave a database as a fresh installation has it."""


def execute(url: str, statement: str) -> list[str]:
    async def run() -> list[str]:
        engine = make_engine(url, application_name="tests")
        async with engine.begin() as database:
            found = await database.execute(text(statement))
            rows = [str(row[0]) for row in found] if found.returns_rows else []
        await engine.dispose()
        return rows

    return asyncio.run(run())


@pytest.mark.usefixtures("_seeded")
def test_a_key_is_created_listed_and_revoked(beast: Beast, database_url: str) -> None:
    created = beast(
        "keys", "create", "--email", "a@example.org", "--tier", "pro", "--name", "Ann"
    )
    key = created.stdout.strip()
    listed = beast("keys", "list")
    revoked = beast("keys", "revoke", key)
    again = beast("keys", "revoke", key)

    assert (created.exit_code, bool(KEY.fullmatch(key))) == (0, True)
    assert key not in listed.stdout
    assert f"{key[:12]}…{key[-4:]}" in listed.stdout
    assert "Ann" in listed.stdout
    assert (revoked.exit_code, again.exit_code) == (0, 0)
    assert execute(database_url, "SELECT revoked FROM api_keys") == ["True"]


@pytest.mark.usefixtures("_seeded")
def test_what_cannot_be_a_key_is_refused_in_plain_words(beast: Beast) -> None:
    tier = beast("keys", "create", "--email", "a@example.org", "--tier", "golden")
    email = beast("keys", "create", "--email", "nobody", "--tier", "pro")
    missing = beast("keys", "revoke", "tb_live_none")

    assert (tier.exit_code, "golden" in tier.stderr) == (2, True)
    assert (email.exit_code, "e-mail" in email.stderr) == (2, True)
    assert (missing.exit_code, bool(missing.stderr)) == (1, True)


@pytest.mark.usefixtures("_seeded")
def test_plaintext_keys_are_sealed_on_demand(beast: Beast, database_url: str) -> None:
    execute(
        database_url, "INSERT INTO api_keys (api_key) VALUES ('ak_live_0123456789')"
    )

    sealed = beast("keys", "seal")

    assert sealed.stdout.strip() == "sealed 1 keys"
    assert "ak_live_0123456789" not in execute(
        database_url,
        "SELECT api_key FROM api_keys",
    )


@pytest.mark.usefixtures("_seeded")
def test_the_database_is_compared_with_the_dictionary(
    beast: Beast,
    database_url: str,
) -> None:
    same = beast("db", "check")
    execute(database_url, "ALTER TABLE users ADD COLUMN shoe_size integer")
    try:
        other = beast("db", "check")
    finally:
        execute(database_url, "ALTER TABLE users DROP COLUMN shoe_size")

    assert (same.exit_code, other.exit_code) == (0, 1)
    assert "shoe_size" in other.stdout
    assert "1 differences" in other.stdout


@pytest.mark.usefixtures("_seeded")
def test_missing_seeds_are_added_again(beast: Beast, database_url: str) -> None:
    execute(database_url, "DELETE FROM exchange_asset_map WHERE asset = 'BTC'")

    upgraded = beast("db", "upgrade")
    kept_out = execute(database_url, "SELECT count(*) FROM exchange_asset_map")
    seeded = beast("db", "seed")

    assert (upgraded.exit_code, kept_out) == (0, ["149"])
    assert "exchange_asset_map: 1 added" in seeded.stdout
    assert execute(database_url, "SELECT count(*) FROM exchange_asset_map") == ["150"]


ROW = {
    "exchange_name": "mine",
    "trade_channel_match": "ch=t",
    "price_path": "p",
    "symbol_path": "s",
    "timestamp_path": "at",
    "timestamp_format": "unix_ms",
}
FRAME = '{"ch":"t","p":"1.50","s":"FOO","at":1790000000000}'
TRADE = {
    "n": 7,
    "k": 0,
    "exchange_symbol": "FOO",
    "price": "1.50",
    "timestamp_ns": 1_790_000_000_000_000_000,
}


@pytest.mark.parametrize("name", ["mine.jsonl", "mine.jsonl.gz"])
def test_a_row_is_tried_on_captured_frames(
    beast: Beast,
    tmp_path: Path,
    name: str,
) -> None:
    rows, frames = tmp_path / "rows.json", tmp_path / name
    rows.write_text(json.dumps([ROW, {**ROW, "exchange_name": "other"}]))
    line = json.dumps({"n": 7, "dir": "recv", "raw": FRAME}).encode()
    frames.write_bytes(gzip.compress(line) if name.endswith("gz") else line)

    decoded = beast("feeds", "decode", "--rows", str(rows), str(frames))

    assert decoded.exit_code == 0
    assert [json.loads(line) for line in decoded.stdout.splitlines()] == [TRADE]


def test_lines_that_are_no_records_are_told_and_the_others_decoded(
    beast: Beast,
    tmp_path: Path,
) -> None:
    rows, frames = tmp_path / "rows.json", tmp_path / "frames.jsonl"
    rows.write_text(json.dumps([ROW]))
    frames.write_text("{broken\n" + json.dumps({"n": 7, "raw": FRAME}) + "\n")

    decoded = beast("feeds", "decode", "--rows", str(rows), str(frames))

    assert decoded.exit_code == 1
    assert "Line 1" in decoded.stderr
    assert json.loads(decoded.stdout) == TRADE


def test_a_row_with_an_unknown_column_is_misuse(beast: Beast, tmp_path: Path) -> None:
    rows, frames = tmp_path / "rows.json", tmp_path / "frames.jsonl"
    rows.write_text(json.dumps([{**ROW, "colour": "red"}]))
    frames.touch()

    decoded = beast("feeds", "decode", "--rows", str(rows), str(frames))

    assert (decoded.exit_code, "colour" in decoded.stderr) == (2, True)


@pytest.mark.usefixtures("_seeded")
def test_exchanges_that_do_not_answer_are_reported(
    beast: Beast,
    database_url: str,
) -> None:
    execute(database_url, "UPDATE exchange_feeds SET enabled = false")
    silent = beast("feeds", "check", "--wait", "1")
    nowhere = f"ws://127.0.0.1:{free_port()}"
    execute(
        database_url,
        f"UPDATE exchange_feeds SET enabled = true, ws_endpoint = '{nowhere}' "  # noqa: S608 - a port of our own
        "WHERE exchange_name = 'okx'",
    )
    checked = beast("feeds", "check", "--wait", "1")

    assert (silent.exit_code, silent.stdout) == (0, "")
    assert checked.exit_code == 1
    assert checked.stdout.startswith("okx")


def test_settings_are_shown_with_their_meaning(beast: Beast) -> None:
    shown = beast("settings")

    assert shown.exit_code == 0
    assert "LPO_UDP_PORT" in shown.stdout
    assert "2679" in shown.stdout


def test_a_setting_that_cannot_be_used_is_misuse(
    beast: Beast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LPO_PORT", "eighty")

    shown = beast("settings")

    assert (shown.exit_code, "LPO_PORT" in shown.stderr) == (2, True)


@pytest.mark.parametrize(
    ("words", "code", "wanted"),
    [
        (("run", "nobody"), 2, "no role nobody"),
        (("demo", "--market", "tulips"), 2, "no market 'tulips'"),
        (("up", "--market", "replay:/nowhere"), 2, "no market 'replay:/nowhere'"),
        (("price", "BTC", "--key", "k" * 20), 1, "No server answers"),
        (("price", "BTC"), 2, "need a key"),
    ],
)
def test_commands_say_what_is_wrong_and_with_which_code(
    beast: Beast,
    words: tuple[str, ...],
    code: int,
    wanted: str,
) -> None:
    result = beast(*words)

    assert (result.exit_code, wanted in result.stderr) == (code, True)


def test_the_version_is_told(beast: Beast) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", beast("--version").stdout)
