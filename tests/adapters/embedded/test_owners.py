"""Owners as processes of their own: racing for a home, and killed."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

from trinity_beast.adapters.embedded import EmbeddedServers, attach
from trinity_beast.adapters.embedded.home import Home
from trinity_beast.adapters.embedded.processes import marked_processes
from trinity_beast.adapters.system import SystemClock, SystemRandomness

OWNER = """
import asyncio, json, pathlib, sys
from trinity_beast.adapters.embedded import EmbeddedServers, HomeInUse
from trinity_beast.adapters.system import SystemClock, SystemRandomness

async def own():
    servers = EmbeddedServers(
        pathlib.Path(sys.argv[1]),
        clock=SystemClock(),
        randomness=SystemRandomness(),
        progress=lambda line: None,
    )
    try:
        urls = await servers.start()
    except HomeInUse as error:
        print(json.dumps({"refused": error.context["pid"]}), flush=True)
        return
    print(json.dumps({"started": urls.database_url}), flush=True)
    await asyncio.sleep(3600)

asyncio.run(own())
"""


async def test_of_two_starts_at_once_one_wins_and_may_be_killed(
    open_place: Path,
) -> None:
    home = open_place / "home"
    clock = SystemClock()
    owners = [await owner_of(home) for _ in range(2)]
    said = [await line_of(owner) for owner in owners]
    [winner] = [
        one for one, line in zip(owners, said, strict=True) if "started" in line
    ]
    [url] = [line["started"] for line in said if "started" in line]
    refused = [line["refused"] for line in said if "refused" in line]
    attached = await attach(home, clock=clock)
    before = set(marked_processes(Home(home).mark))

    winner.send_signal(signal.SIGKILL)
    await winner.wait()
    orphaned = await attach(home, clock=clock)
    servers = EmbeddedServers(
        home,
        clock=clock,
        randomness=SystemRandomness(),
        progress=lambda _line: None,
    )
    urls = await servers.start()
    after = set(marked_processes(Home(home).mark))
    await servers.stop()

    assert refused == [str(winner.pid)]
    assert attached is not None
    assert {attached.database_url, urls.database_url} == {url}
    assert f"?host={home}/run" in url
    assert len(before) > 2
    assert orphaned is None
    assert before & after == set()
    assert marked_processes(Home(home).mark) == ()
    for owner in owners:
        await owner.wait()


async def owner_of(home: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OWNER, str(home)),
        stdout=PIPE,
    )


async def line_of(owner: Process) -> dict[str, str]:
    assert owner.stdout is not None
    return json.loads(await owner.stdout.readline())
