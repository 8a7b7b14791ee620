"""Runs as a script of its own between us and a server: ties it to our life.

A child must die with its parent even when the parent is killed with ``SIGKILL``, so the
kernel is asked to signal it (``PR_SET_PDEATHSIG``).  That must happen after the change
of user, which clears the request, and before the server's ``exec``.  Doing it here and
not in ``preexec_fn`` keeps Python code out of the gap between fork and exec, where the
threads of the parent (the Valkey client has some) may have left locks taken.

Usage: ``launcher.py PARENT_PID DEATH_SIGNAL UID GID COMMAND...``

Source: prctl(2), PR_SET_PDEATHSIG.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:  # pragma: no cover - no tracer in the child
    """Become ``COMMAND`` as that user, bound to the life of the parent."""
    parent_pid, death_signal, uid, gid = map(int, arguments[:4])
    command = arguments[4:]
    if os.geteuid() == 0 and uid != 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent_pid:
        return  # the parent died before the kernel knew of our wish
    # Python ignores this one, and an ignored signal stays ignored over exec.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.umask(0o077)
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":  # pragma: no cover - likewise
    main(sys.argv[1:])
