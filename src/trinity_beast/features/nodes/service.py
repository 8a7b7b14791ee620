"""Use cases of the registry."""

from __future__ import annotations

from trinity_beast.features.nodes.model import (
    HEARTBEAT_S,
    KEEP_FOR_S,
    ProcessRow,
    RunningProcess,
)
from trinity_beast.features.nodes.repository import (
    list_rows,
    put,
    remove,
    remove_unheard,
)
from trinity_beast.kernel.time import NS_PER_S
from trinity_beast.ports.clock import Clock
from trinity_beast.toolkit.tolerating import tolerating
from trinity_beast.toolkit.work import DatabaseAway, UnitOfWork


class NodeService:
    """Keeps the registry; each method is one transaction."""

    def __init__(self, work: UnitOfWork, clock: Clock) -> None:
        self._work = work
        self._clock = clock

    async def beat(self, process: RunningProcess) -> None:
        """Note that a process lives, and forget those that are long gone.

        Raises:
            DatabaseAway: Nothing was noted.
        """
        now_ns = self._clock.now_ns()
        async with self._work.begin() as connection:
            await put(connection, process, now_ns)
            await remove_unheard(connection, now_ns - KEEP_FOR_S * NS_PER_S)

    async def leave(self, process: RunningProcess) -> None:
        """Note that a process ends; twice is not an error.

        Raises:
            DatabaseAway: Nothing was noted.
        """
        async with self._work.begin() as connection:
            await remove(connection, process.node, process.pid)

    async def list_processes(self) -> tuple[ProcessRow, ...]:
        """Return all that are known, by node and process id, the killed ones included.

        Raises:
            DatabaseAway: The database cannot be reached.
        """
        async with self._work.begin() as connection:
            return await list_rows(connection)

    async def count_living(self, role: str) -> int:
        """Return how many processes with a role were heard of lately.

        Raises:
            DatabaseAway: The database cannot be reached.
        """
        now_ns = self._clock.now_ns()
        rows = await self.list_processes()
        return sum(row.is_live(now_ns) and role in row.process.roles for row in rows)


class NodeRegistration:
    """Keeps the row of this process fresh for as long as it runs."""

    def __init__(
        self,
        service: NodeService,
        process: RunningProcess,
        clock: Clock,
    ) -> None:
        self._service = service
        self._process = process
        self._clock = clock

    async def run(self) -> None:
        """Tell that this process lives, for ever; take its row away when cancelled."""
        try:
            while True:
                with tolerating(DatabaseAway, because="the next heartbeat tells it"):
                    await self._service.beat(self._process)
                await self._clock.sleep(HEARTBEAT_S)
        finally:
            with tolerating(DatabaseAway, because="it is taken to be gone soon"):
                await self._service.leave(self._process)
