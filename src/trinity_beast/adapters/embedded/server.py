"""What the two servers have in common, as the owner of a home sees them."""

from __future__ import annotations

from typing import Protocol


class Server(Protocol):
    """One server of a home; started, watched and stopped by ``EmbeddedServers``."""

    @property
    def name(self) -> str:
        """Return the server's name, for people."""
        ...

    @property
    def pid(self) -> int:
        """Return the id of the server's process, 0 before the first start."""
        ...

    @property
    def url(self) -> str:
        """Return where clients find it; the same after each start."""
        ...

    async def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            ServerFailed: It does not.
        """
        ...

    async def ended(self) -> int:
        """Wait until the process is gone; return its exit code."""
        ...

    async def stop(self) -> None:
        """End it in order; stopping what does not run is not an error."""
        ...
