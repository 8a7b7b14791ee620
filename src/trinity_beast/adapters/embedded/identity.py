"""Who a server runs as, and what that user can reach.

PostgreSQL refuses to run as root.  Started by root it runs as the owner of its
directory, which for a new one is ``nobody``.
"""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from trinity_beast.adapters.embedded.errors import HomeUnusable

_PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Identity:
    """A user and a group, by number."""

    uid: int
    gid: int


def own_identity() -> Identity:
    """Return who this process is."""
    return Identity(os.geteuid(), os.getegid())


def unprivileged_identity(directory: Path) -> Identity:
    """Return who a server with this directory runs as: never root."""
    if os.geteuid() != 0:
        return own_identity()
    if directory.exists() and (owner := directory.stat()).st_uid != 0:
        return Identity(owner.st_uid, owner.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Identity(nobody.pw_uid, nobody.pw_gid)


def can_enter(identity: Identity, directory: Path) -> bool:
    """Tell whether a user may enter a directory by its path from the root.

    Only permission bits are looked at; access lists may allow more, and a "no" here
    costs little.
    """
    path = directory.resolve()
    return all(_may_enter(identity, part.stat()) for part in (path, *path.parents))


def make_private_directory(directory: Path, identity: Identity) -> None:
    """Make sure of a directory that only ``identity`` (and root) can enter.

    Raises:
        HomeUnusable: There is something else in its place, or it is somebody else's.
    """
    try:
        directory.mkdir(mode=_PRIVATE, parents=True)
        os.chown(directory, identity.uid, identity.gid)
    except FileExistsError:
        pass
    except OSError as error:
        raise HomeUnusable(home=directory, reason=error.strerror) from error
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != identity.uid:
        reason = f"{directory} must be a directory of user {identity.uid}"
        raise HomeUnusable(home=directory, reason=reason)
    if stat.S_IMODE(found.st_mode) != _PRIVATE:
        directory.chmod(_PRIVATE)


def _may_enter(identity: Identity, found: os.stat_result) -> bool:
    if identity.uid == found.st_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if identity.gid == found.st_gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)
