"""What `solver.verify` answers with: a broken rule, as a sentence with the ids and days it is about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Broken:
    """One broken rule. ``rule`` is ``R1`` to ``R13``, or ``value`` where the plan's own keys and totals are wrong."""

    rule: str
    text: str
    ids: tuple[str, ...] = ()


def gpus_text(gpus: int) -> str:
    """``7,200 GPUs``, ``1 GPU``."""
    return f"{gpus:,} GPU" if gpus == 1 else f"{gpus:,} GPUs"


def racks_text(count: int) -> str:
    """``12 racks``, ``1 rack``."""
    return f"{count:,} rack" if count == 1 else f"{count:,} racks"
