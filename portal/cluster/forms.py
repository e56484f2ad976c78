"""Forms of outages, power limits and spare racks. Last days are typed as people say them; the data ends a day later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeVar

from wtforms import BooleanField, HiddenField, RadioField, SelectField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from portal.cluster.inventory import codes_in
from portal.cluster.outage_actions import Confirmation
from portal.cluster.outage_changes import OutageChange
from portal.cluster.power import LimitChange
from portal.domain.states import OutageKind
from portal.models.cluster import Site
from portal.web.forms import AmountField, BaseForm, DayField, SearchForm, TextField, WholeField, choices

_KINDS = (
    (OutageKind.FAILURE.value, "Failure: it broke"),
    (OutageKind.MAINTENANCE.value, "Maintenance: planned, and published ahead"),
    (OutageKind.ABSENT.value, "Absent: not delivered yet, or retired"),
)
_LONGEST_NOTE = 1_000
Value = TypeVar("Value")


class DayForm(SearchForm):
    day = DayField("Day")


class OutageForm(BaseForm):
    """What is out of use, since when and until when; ``seen`` is the digest of the consequences that were shown."""

    units = TextAreaField(
        "Racks, pods or halls",
        description="Their codes, separated by commas, spaces or lines: m-h02-p07-r3, s-h02-p11.",
        validators=[DataRequired("Name at least one rack, pod or hall."), Length(max=20_000)],
        render_kw={"rows": 3, "spellcheck": "false", "autocapitalize": "none"},
    )
    kind = RadioField("Why", choices=choices(_KINDS), validators=[InputRequired("Say why it is out of use.")])
    start = DayField("First day out of use", validators=[InputRequired("Choose the first day.")])
    last_day = DayField("Last day", description="Leave it empty while nobody knows.", validators=[Optional()])
    note = TextField("Note", description="For the provider's people only.", validators=[Length(max=_LONGEST_NOTE)])
    overrides = BooleanField("Begin within the move notice all the same")
    seen = HiddenField()

    def change(self, corrects: int | None = None) -> OutageChange:
        """What the form asks for; only after it validated."""
        return OutageChange(
            units=tuple(codes_in(self.units.data)),
            kind=OutageKind(self.kind.data),
            start=given(self.start.data),
            end=_day_after(self.last_day.data),
            note=self.note.data or "",
            corrects=corrects,
        )

    @property
    def confirmation(self) -> Confirmation:
        return Confirmation(seen=self.seen.data or "", overrides=bool(self.overrides.data))


class RemovalForm(BaseForm):
    seen = HiddenField()

    @property
    def confirmation(self) -> Confirmation:
        return Confirmation(seen=self.seen.data or "")


class LimitForm(BaseForm):
    """A site's power limit; `sites` are the ones to choose from."""

    site = SelectField("Site")
    kw = AmountField(
        "At most",
        description="Kilowatts for all racks of the site together.",
        validators=[InputRequired("Write how many kilowatts are left."), NumberRange(0, 10**9, "Write 0 or more.")],
    )
    start = DayField("First day", validators=[InputRequired("Choose the first day.")])
    last_day = DayField("Last day", validators=[InputRequired("Choose the last day.")])
    note = TextField("Note", description="For the provider's people only.", validators=[Length(max=_LONGEST_NOTE)])
    seen = HiddenField()

    def __init__(self, sites: Sequence[Site], **values: object) -> None:
        super().__init__(**values)
        self.site.choices = choices((site.code, site.name) for site in sites)

    def change(self) -> LimitChange:
        """What the form asks for; only after it validated."""
        return LimitChange(
            site=self.site.data,
            start=given(self.start.data),
            end=given(self.last_day.data) + dt.timedelta(1),
            kw=float(given(self.kw.data)),
            note=self.note.data or "",
        )

    @property
    def confirmation(self) -> Confirmation:
        return Confirmation(seen=self.seen.data or "")


class EndLimitForm(BaseForm):
    last_day = DayField("Last day of the limit", validators=[InputRequired("Choose the last day.")])

    @property
    def end(self) -> dt.date:
        """The first day without the limit; only after the form validated."""
        return given(self.last_day.data) + dt.timedelta(1)


class SpareForm(BaseForm):
    spare_racks = WholeField(
        "Spare racks",
        description="Kept for promises when a rack fails, never sold.",
        validators=[
            InputRequired("Write how many racks are kept as spares."),
            NumberRange(0, message="Write 0 or more."),
        ],
    )
    version = HiddenField(validators=[InputRequired()])


def given(value: Value | None) -> Value:
    """The value of a field that its validators want."""
    assert value is not None  # noqa: S101 - the form was validated
    return value


def _day_after(last_day: dt.date | None) -> dt.date | None:
    return None if last_day is None else last_day + dt.timedelta(1)
