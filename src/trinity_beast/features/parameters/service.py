"""Use cases of parameters."""

from __future__ import annotations

from trinity_beast.features.parameters.model import Home
from trinity_beast.features.parameters.registry import REGISTRY
from trinity_beast.features.parameters.repository import texts_of
from trinity_beast.toolkit.work import UnitOfWork


class ParameterService:
    """Reads parameters; each method is one transaction."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work

    async def load(self) -> dict[str, str]:
        """Return the texts of both tables by key.

        A key that stands in the table where it does not belong is left out, as is any
        that the registry does not know.

        Raises:
            DatabaseAway: The database cannot be reached.
        """
        async with self._work.begin() as connection:
            application = await texts_of(connection, "application")
            report = await texts_of(connection, "report")
        return _known(application, "application") | _known(report, "report")


def _known(texts: dict[str, str], home: Home) -> dict[str, str]:
    parameters = (p for p in REGISTRY if p.home == home)
    names = {name for p in parameters for name in (p.name, *p.aliases)}
    return {key: text for key, text in texts.items() if key in names}
