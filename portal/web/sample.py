"""What the style guide shows: made-up figures, the same every time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from wtforms import BooleanField, RadioField, SelectField, TextAreaField
from wtforms.validators import InputRequired

from portal.domain.states import OfferState, PlanState, RequestState, ReservationState, RunState
from portal.web.charts.axis import Window
from portal.web.charts.gantt import GanttBar, GanttRow, GanttView, gantt_view
from portal.web.charts.heat import HeatRow, HeatView, heat_view
from portal.web.charts.spark import Spark, spark_view
from portal.web.charts.step import Line, Series, StepView, step_view
from portal.web.forms import BaseForm, DayField, TextField, WholeField, choices
from portal.web.paging import Page

DAY = dt.date(2026, 11, 22)
_WINDOW = Window.of(dt.date(2026, 12, 1), 180)
_TENANTS = ("Aurora Labs", "Borealis AI", "Cobalt Bio", "Delta Robotics", "Ember Speech", "Fathom Climate")
_HALLS = tuple(f"M1-H{number}" for number in range(1, 9)) + tuple(f"S1-H{number}" for number in range(1, 5))


class SampleForm(BaseForm):
    gpus = WholeField("GPUs", description="In whole racks of 72.", validators=[InputRequired("Write how many.")])
    start = DayField("First day", validators=[InputRequired("Choose a day.")])
    site = SelectField("Site", choices=choices([("", "Any site"), ("m", "Memphis"), ("s", "Southaven")]))
    name = TextField("Your reference")
    scope = RadioField(
        "All in one", choices=choices([("pod", "Pod"), ("hall", "Hall"), ("any", "Anywhere")]), default="hall"
    )
    waitlist = BooleanField("Keep me on the waiting list", description="Tried again with every plan.")
    note = TextAreaField("Note")


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything on the page."""

    form: SampleForm
    heat: HeatView
    gantt: GanttView
    step: StepView
    sparks: Sequence[Spark]
    states: Sequence[StrEnum]
    rows: Sequence[tuple[str, str, int, dt.date, dt.date, Decimal, StrEnum]]
    page: Page[int]


def make() -> Sample:
    """The sample; call it within a request."""
    return Sample(
        form=_form(),
        heat=heat_view(_WINDOW, [HeatRow(hall, _free(index), 256) for index, hall in enumerate(_HALLS)]),
        gantt=gantt_view(_WINDOW, [_gantt_row(index, hall) for index, hall in enumerate(_HALLS)], today=_WINDOW.start),
        step=_step(),
        sparks=[spark_view([(index * seed) % 7 + index / 3 for index in range(14)], "Last 14 days") for seed in (3, 4)],
        states=[*RequestState, *OfferState, *ReservationState, *RunState, *PlanState],
        rows=_rows(),
        page=Page(items=(), number=2, size=25, total=1_184),
    )


def _form() -> SampleForm:
    form = SampleForm(formdata=None, gpus=12_960, start=dt.date(2027, 1, 4))
    form.name.errors = ["Use 80 characters or fewer."]
    return form


def _free(index: int) -> list[int]:
    """Pseudo-random, in stretches of some weeks."""
    levels = (256, 200, 128, 64, 0, 32, 160, 240, 96)
    length = 12 + index * 5 % 17
    return [levels[(day // length * 5 + index * 7) % len(levels)] for day in range(_WINDOW.days)]


def _gantt_row(index: int, hall: str) -> GanttRow:
    bars = []
    for turn in range(3):
        start = _WINDOW.start + dt.timedelta(days=(index * 23 + turn * 61) % 150 - 10)
        tenant = (index * 2 + turn * 3) % len(_TENANTS)
        bars.append(
            GanttBar(
                start=start,
                end=start + dt.timedelta(days=28 + index * 9 % 30),
                label=_TENANTS[tenant],
                href=f"#R-{index}{turn}",
                detail=f"1,152 GPUs (16 racks), {'proposed' if turn == 2 else 'scheduled'}",
                colour=tenant,
                is_tentative=turn == 2,
            )
        )
    return GanttRow(hall, bars)


def _step() -> StepView:
    first = dt.date(2026, 7, 1)
    months = [(first + dt.timedelta(days=31 * index)).replace(day=1) for index in range(43)]
    stack = [
        Series(name, {months[turn * 5 + index]: 4_320 * (turn + 1) + 1_440 * index for turn in range(6)}, index)
        for index, name in enumerate(_TENANTS)
    ]
    capacity = Line("Capacity", {first: 110_592, months[12]: 165_888, months[24]: 221_184}, "capacity")
    booked = Line("Booked", {month: 9_000 + index * 3_100 for index, month in enumerate(months[:42:2])}, "booked")
    return step_view(Window(first, dt.date(2030, 1, 1)), stack, [capacity, booked])


def _rows() -> list[tuple[str, str, int, dt.date, dt.date, Decimal, StrEnum]]:
    states = [
        ReservationState.ACTIVE,
        ReservationState.SCHEDULED,
        ReservationState.RECALLED,
        ReservationState.COMPLETED,
    ]
    return [
        (
            f"R-7GK2QX4{letter}",
            _TENANTS[index],
            72 * (index * index * 16 + 8),
            DAY + dt.timedelta(days=index * 30),
            DAY + dt.timedelta(days=index * 61 + 45),
            Decimal("446785714.29") / (index + 1) ** 5,
            states[index],
        )
        for index, letter in enumerate("MNPQ")
    ]
