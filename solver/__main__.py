"""``python -m solver``: files in, files out. Exit codes: 0 done, 1 a plan broke a rule, 2 bad input or usage."""

from __future__ import annotations

import atexit
import gc

from solver.commands import interrupts


def main() -> None:
    """Run the command that the words name; what it needs is imported while interrupts wait."""
    interrupts.hold()
    atexit.register(gc.freeze)  # the end of Python looks for cycles in all there is: half a second after large plans
    from solver.commands.group import cli

    cli()


if __name__ == "__main__":
    main()
