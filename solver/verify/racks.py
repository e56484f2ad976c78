"""R1 to R3: what a rack, a hall and a site can carry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from solver.terms import GPUS_PER_RACK, GPUS_PER_TRAY
from solver.verify.broken import Broken, gpus_text, racks_text
from solver.verify.case import Case
from solver.verify.stretches import Flags


def r1(case: Case) -> Iterator[Broken]:
    """R1: at most 72 GPUs of a rack are used on a day, none in an outage; a block of 72 or more uses whole racks, a
    smaller one a multiple of 4 on one rack. Reservations keep this beyond the horizon too.

    Read leniently: an outage without an end lasts "to the horizon", so beyond it nobody is said to stand in one.
    """
    yield from _shapes(case)
    load = case.everything.load
    for rack in np.flatnonzero((load > GPUS_PER_RACK).any(axis=0)):
        flags = load[:, rack] > GPUS_PER_RACK
        days, ids, name = case.stretches.text_of(flags), _on_rack(case, int(rack), flags), case.ground.racks[rack]
        most = gpus_text(int(load[flags, rack].max()))
        yield Broken("R1", f"{', '.join(ids)} use {most} of rack {name} on {days}; it has 72.", (name, *ids))
    used_while_out = (load > 0) & case.ground.out
    for rack in np.flatnonzero(used_while_out.any(axis=0)):
        flags = used_while_out[:, rack]
        days, ids, name = case.stretches.text_of(flags), _on_rack(case, int(rack), flags), case.ground.racks[rack]
        yield Broken("R1", f"{', '.join(ids)} stand on rack {name} in its outage on {days}.", (name, *ids))


def r2(case: Case) -> Iterator[Broken]:
    """R2: on a day on which an accepted block stands in a hall, at most ``sale_h(t)`` racks there carry a block."""
    ground, decided = case.ground, case.decided
    for hall, name in enumerate(ground.halls.ids):
        carrying, sale = case.everything.carrying[decided, hall], ground.sale[decided, hall]
        if not (carrying > sale).any():
            continue
        flags = (carrying > sale) & _accepted_in_hall(case, hall)[decided]
        if flags.any():
            days, most = case.stretches.text_of(flags), racks_text(int((carrying - sale)[flags].max()))
            text = f"hall {name} carries up to {most} more than are for sale beside its spare racks on {days}."
            yield Broken("R2", text, (name, *_accepted_ids(case, hall, flags)))


def r3(case: Case) -> Iterator[Broken]:
    """R3: at most ``power_s(t)`` racks of a site carry a block."""
    decided = case.decided
    for site, name in enumerate(case.ground.sites.ids):
        carrying, power = case.everything.racks_in_site[decided, site], case.ground.power[decided, site]
        flags = carrying > power
        if flags.any():
            most = racks_text(int((carrying - power)[flags].max()))
            text = f"site {name} carries up to {most} more than its power allows on {case.stretches.text_of(flags)}."
            yield Broken("R3", text, (name,))


def _shapes(case: Case) -> Iterator[Broken]:
    for accepted in case.plan.accepted:
        fault = _shape_fault(accepted.gpus, accepted.racks)
        if fault:
            yield Broken("R1", f"{accepted.request}: {fault}.", (accepted.request,))
    for move in case.plan.moves:
        gpus = case.reservations[move.reservation].gpus
        for segment in case.remaining(move):
            if fault := _shape_fault(gpus, segment.racks):
                days = f"[{segment.start}, {segment.end})"
                yield Broken("R1", f"{move.reservation} on {days}: {fault}.", (move.reservation,))


def _shape_fault(gpus: int, racks: Mapping[str, int]) -> str | None:
    """What is wrong with how a block of ``gpus`` GPUs lies on its racks; None: nothing."""
    if min(racks.values(), default=1) <= 0:
        return "it has racks without GPUs"
    if gpus >= GPUS_PER_RACK:
        part = sorted(rack for rack, used in racks.items() if used != GPUS_PER_RACK)
        return f"a block of 72 GPUs or more uses whole racks, not a part of {', '.join(part)}" if part else None
    if len(racks) > 1:
        return f"a block of fewer than 72 GPUs lies on one rack, not on {len(racks)}"
    uneven = sorted(rack for rack, used in racks.items() if used % GPUS_PER_TRAY)
    return f"its GPUs on {', '.join(uneven)} are not a multiple of 4" if uneven else None


def _on_rack(case: Case, rack: int, flags: Flags) -> tuple[str, ...]:
    return tuple(
        block.id
        for block in case.blocks
        if any(rack in part.racks and flags[part.first : part.last].any() for part in block.parts)
    )


def _accepted_in_hall(case: Case, hall: int) -> Flags:
    flags = np.zeros(len(case.stretches), dtype=np.bool_)
    for block in case.blocks:
        for part in block.parts if block.accepted else ():
            if (case.ground.halls.of_rack[part.racks] == hall).any():
                flags[part.first : part.last] = True
    return flags


def _accepted_ids(case: Case, hall: int, flags: Flags) -> tuple[str, ...]:
    here = case.ground.halls.of_rack
    return tuple(
        block.id
        for block in case.blocks
        if block.accepted and flags[block.span].any() and any((here[p.racks] == hall).any() for p in block.parts)
    )
