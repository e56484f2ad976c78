"""``leash.py PARENT COMMAND``: run a command that ends with the process that asked for it, even if that one is killed.

Executed by its path, without the portal: on Linux the kernel sends SIGTERM to the command when its parent dies;
elsewhere the command's own time limit ends it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Become ``command``, on the leash of the process ``parent``; does nothing where that one is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == parent:
        os.execvp(command[0], command)  # noqa: S606  # no shell: the words are the portal's own


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
