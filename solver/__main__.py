"""``python -m solver``: files in, files out. Exit codes: 0 done, 1 a plan broke a rule, 2 bad input or usage."""

from __future__ import annotations

import sys

from solver.commands.group import cli

if __name__ == "__main__":
    sys.exit(cli())
