"""The forms of bookings: a request, and an offer. Shape only; what the terms mean is checked by `terms`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, HiddenField, SelectField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.bookings.terms import Terms, WrongTerms
from portal.domain.states import Scope
from portal.models.cluster import Site
from portal.models.contracts import Contract
from portal.models.requests import Request
from portal.models.reservations import Reservation
from portal.web.format import day_range_text, gpus_text
from portal.web.forms import AmountField, BaseForm, DayField, WholeField, choices

ON_DEMAND = ""
_SCOPES = (
    (Scope.ANY, "Anywhere"),
    (Scope.SITE, "In one site"),
    (Scope.HALL, "In one hall"),
    (Scope.POD, "In one pod"),
)
_MOST_DAYS = 10_000
_MOST_GPUS = 10_000_000


@dataclass(frozen=True, slots=True)
class Choices:
    """What the selects of a form offer."""

    contracts: Sequence[Contract]
    sites: Sequence[Site]
    reservations: Sequence[Reservation] = ()

    def contract_id(self, public_id: str) -> int | None:
        return next((row.id for row in self.contracts if row.public_id == public_id), None)

    def site_id(self, code: str) -> int | None:
        return next((row.id for row in self.sites if row.code == code), None)

    def extends_id(self, public_id: str) -> int | None:
        return next((row.id for row in self.reservations if row.public_id == public_id), None)


_Value = TypeVar("_Value")


class _Within:
    """A validator: a number that could be read lies in ``[least, most]``; one that could not was refused already."""

    def __init__(self, least: int, most: int, sentence: str) -> None:
        self.least, self.most, self.sentence = least, most, sentence

    def __call__(self, form: FlaskForm, field: Field) -> None:
        if field.data is not None and not self.least <= field.data <= self.most:
            raise ValidationError(self.sentence)


class _BlockFields(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    gpus = WholeField(
        "How many GPUs",
        description="Racks of 72, or trays of 4.",
        validators=[InputRequired("Write how many GPUs."), _Within(1, _MOST_GPUS, "Write a number above 0.")],
    )
    days = WholeField(
        "For how long",
        validators=[InputRequired("Write how many days."), _Within(1, _MOST_DAYS, f"Write 1 to {_MOST_DAYS:,} days.")],
    )
    scope = SelectField(
        "How close together", choices=choices([(scope.value, label) for scope, label in _SCOPES]), default="any"
    )
    site = SelectField("Site")
    contract = SelectField("Charged to")
    interruptible = BooleanField(
        "It may be interrupted", description="At a rate of its own: the provider may end it early."
    )
    recall_notice_days = WholeField(
        "Told ahead by",
        description="Only where it may be interrupted.",
        validators=[Optional(), _Within(0, _MOST_DAYS, "Write 0 days or more.")],
    )
    rate = AmountField("Rate offered", description="On demand. Empty: what the rate card asks.")
    note = TextAreaField("Note", validators=[Length(max=2000, message="Use 2,000 characters or fewer.")])

    def fill(self, found: Choices) -> None:
        """Give the selects their options."""
        self.choices = found
        self.site.choices = choices([("", "Any site"), *((site.code, site.name) for site in found.sites)])
        terms = ((c.public_id, f"{c.public_id}, {day_range_text(c.start, c.end)}") for c in found.contracts)
        self.contract.choices = choices([*terms, (ON_DEMAND, "On demand")])

    def recall_days(self) -> int | None:
        """The notice of an interruptible block, 0 where none is named; null for a firm one."""
        return (self.recall_notice_days.data or 0) if self.interruptible.data else None

    def show(self, wrong: WrongTerms) -> None:
        """Put each fault beside its field, and above the form where it has none."""
        for problem in wrong.problems:
            if problem.field in self:
                self[problem.field].errors = [*self[problem.field].errors, problem.sentence]
            else:
                self.form_errors.append(problem.sentence)


class RequestForm(_BlockFields, BaseForm):
    """A request, drafted or sent."""

    earliest_start = DayField("Earliest start", validators=[InputRequired("Choose a day.")])
    latest_start = DayField("Latest start", description="Empty: that very day.", validators=[Optional()])
    min_gpus = WholeField("At least", description="Empty: all or nothing.", validators=[Optional()])
    extends = SelectField("Goes on from", default="")
    wants_waitlist = BooleanField(
        "Keep me on the waiting list", description="If it does not fit, try again with every plan."
    )
    version = HiddenField()

    def fill(self, found: Choices) -> None:
        super().fill(found)
        rows = (
            (row.public_id, f"{row.public_id}, {gpus_text(row.gpus)}, {day_range_text(row.start, row.end)}")
            for row in found.reservations
        )
        self.extends.choices = choices([("", "Nothing: a new block"), *rows])

    def terms(self, tenant_id: int) -> Terms:
        """What was typed, for this tenant; call it after `validate`."""
        contract_id = self.choices.contract_id(self.contract.data)
        return Terms(
            tenant_id=tenant_id,
            contract_id=contract_id,
            gpus=_given(self.gpus.data),
            min_gpus=_given(self.min_gpus.data or self.gpus.data),
            earliest_start=_given(self.earliest_start.data),
            latest_start=_given(self.latest_start.data or self.earliest_start.data),
            days=_given(self.days.data),
            scope=Scope(self.scope.data),
            site_id=self.choices.site_id(self.site.data),
            recall_notice_days=self.recall_days(),
            rate=self.rate.data if contract_id is None else None,
            extends_id=self.choices.extends_id(self.extends.data),
            wants_waitlist=bool(self.wants_waitlist.data),
            note=(self.note.data or "").strip(),
        )


class OfferForm(_BlockFields, BaseForm):
    """An offer of one block to one tenant."""

    start = DayField("First day", validators=[InputRequired("Choose a day.")])
    hours = WholeField(
        "Stands for",
        validators=[InputRequired("Write how many hours."), _Within(1, 2160, "Write 1 to 2,160 hours.")],
    )

    def terms(self, tenant_id: int) -> Terms:
        """What was typed, for this tenant; call it after `validate`."""
        contract_id = self.choices.contract_id(self.contract.data)
        return Terms(
            tenant_id=tenant_id,
            contract_id=contract_id,
            gpus=_given(self.gpus.data),
            min_gpus=_given(self.gpus.data),
            earliest_start=_given(self.start.data),
            latest_start=_given(self.start.data),
            days=_given(self.days.data),
            scope=Scope(self.scope.data),
            site_id=self.choices.site_id(self.site.data),
            recall_notice_days=self.recall_days(),
            rate=self.rate.data if contract_id is None else None,
        )


def given(arguments: MultiDict[str, str]) -> MultiDict[str, str]:
    """The arguments of an address as a form's data: selects that it does not name have their first meaning."""
    unnamed = {"scope": Scope.ANY.value, "site": "", "contract": ON_DEMAND, "extends": ""}
    return MultiDict([*((name, value) for name, value in unnamed.items() if name not in arguments), *arguments.items()])


def values_of(request: Request) -> dict[str, object]:
    """What the form of a request shows before anything is typed."""
    return {
        "gpus": request.gpus,
        "min_gpus": None if request.min_gpus == request.gpus else request.min_gpus,
        "earliest_start": request.earliest_start,
        "latest_start": request.latest_start,
        "days": request.days,
        "scope": request.scope.value,
        "site": request.site.code if request.site else "",
        "contract": request.contract.public_id if request.contract else ON_DEMAND,
        "interruptible": request.interruptible,
        "recall_notice_days": request.recall_notice_days,
        "rate": request.rate,
        "wants_waitlist": request.wants_waitlist,
        "note": request.note,
        "version": request.version,
    }


def _given(value: _Value | None) -> _Value:
    """A value that validation made sure of."""
    if value is None:
        raise ValueError("the terms of a form that was not validated")
    return value
