"""Forms around contracts, tenants and rates: shape only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TypeVar

from wtforms import BooleanField, FieldList, Form, FormField, HiddenField, SelectField, SubmitField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from portal.contracts.drafting import NewContract, Problem, Step
from portal.domain.errors import Invalid
from portal.domain.states import Party, Scope, TenantKind
from portal.models.cluster import Site
from portal.models.tenants import Tenant
from portal.web.forms import AmountField, BaseForm, DayField, SearchForm, TextField, TypedWord, WholeField, choices

ROWS = 6
MORE_ROWS = 4
MOST_ROWS = 40
_DAY = InputRequired("Choose a day.")
_COUNT = InputRequired("Write a number of days, 0 or more.")
_Given = TypeVar("_Given")
_PLAIN = {"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"}


def given(value: _Given | None) -> _Given:
    """What a required field of a valid form holds."""
    if value is None:
        raise Invalid("Fill in every field that is not optional.")
    return value


class SimulatorForm(SearchForm):
    """What if notice were given on this day?"""

    day = DayField("If notice is given on", validators=[_DAY])


class ReceiptForm(SearchForm):
    """The admin's first step: whose notice, and the day on which it was received."""

    party = SelectField("Who gives notice")
    given_on = DayField("Day of receipt", validators=[_DAY])

    def __init__(self, *, today: dt.date) -> None:
        super().__init__(data={"party": Party.PROVIDER.value, "given_on": today})
        self.party.choices = choices(
            [(Party.PROVIDER.value, "The provider"), (Party.TENANT.value, "The tenant, on paper")]
        )


class NoticeForm(BaseForm):
    """The confirmation. `seen` says which consequences were on the page; the contract's id is typed."""

    party = HiddenField()
    given_on = DayField("Day of receipt")
    seen = HiddenField()
    document = TextField(
        "Document",
        description="What proves the day of receipt: a letter's date and reference. Needed for an earlier day, "
        "and for a notice that came on paper.",
        validators=[Length(max=500)],
    )
    confirmation = TextField("Confirmation", render_kw=_PLAIN)

    def __init__(self, word: str) -> None:
        super().__init__()
        self.confirmation.label.text = f"Type {word} to confirm"
        self.confirmation.validators = [TypedWord(word)]


class StepForm(Form):  # type: ignore[misc]  # WTForms has no types
    """One row of the schedule; an empty row counts for nothing."""

    start = DayField("From", validators=[Optional()])
    gpus = WholeField("GPUs", validators=[Optional()])
    monthly_fee = AmountField("USD a month", validators=[Optional()])

    @property
    def is_empty(self) -> bool:
        return not any((field.raw_data or [""])[0].strip() for field in self)


class ContractForm(BaseForm):
    """A new contract; `tenants` and `sites` are the ones to choose from."""

    public_id = TextField(
        "Id", description="Such as reflection-2026. It cannot be changed.", validators=[InputRequired("Choose an id.")]
    )
    tenant = SelectField("Tenant")
    site = SelectField("Bound to a site", description="Its blocks and its hold lie there.")
    start = DayField("First day", validators=[_DAY])
    last_day = DayField("Last day", validators=[_DAY])
    lock_in_until = DayField("Notice can be given from", validators=[_DAY])
    notice_days = WholeField("Notice period", validators=[_COUNT])
    notice_by = SelectField("Who may give notice")
    booking_lead_days = WholeField(
        "Booking lead",
        description="Commitment not booked so many days ahead may be sold to others.",
        validators=[_COUNT],
    )
    move_notice_days = WholeField(
        "Move notice", description="Blocks are moved no later than so many days before.", validators=[_COUNT]
    )
    cancellation_days = WholeField("Free cancellation until", default=0, validators=[_COUNT])
    cancellation_fee_percent = WholeField("Fee after that", default=0, validators=[InputRequired("Write a share.")])
    overage_rate = AmountField("Overage rate", description="Leave it empty for no overage.", validators=[Optional()])
    assumption = TextAreaField(
        "Assumed", description="What of these terms is assumed rather than known.", validators=[Length(max=5000)]
    )
    steps = FieldList(FormField(StepForm), min_entries=ROWS, max_entries=MOST_ROWS)
    more = SubmitField("More steps")
    oversell = BooleanField("Record it although these GPUs are missing")

    def __init__(self, tenants: Iterable[Tenant], sites: Iterable[Site]) -> None:
        super().__init__()
        self.tenant.choices = choices((each.public_id, each.name) for each in tenants)
        self.site.choices = choices([("", "None"), *((each.code, each.name) for each in sites)])
        sides = {Party.EITHER: "Either party", Party.TENANT: "The tenant", Party.PROVIDER: "The provider"}
        self.notice_by.choices = choices((party.value, label) for party, label in sides.items())

    def add_rows(self) -> None:
        for _ in range(min(MORE_ROWS, MOST_ROWS - len(self.steps))):
            self.steps.append_entry()

    def new_contract(self, *, tenant_id: int, site_id: int | None) -> NewContract:
        """What was typed, once it is valid in shape."""
        return NewContract(
            public_id=self.public_id.data,
            tenant_id=tenant_id,
            start=given(self.start.data),
            end=given(self.last_day.data) + dt.timedelta(days=1),
            lock_in_until=given(self.lock_in_until.data),
            notice_days=given(self.notice_days.data),
            notice_by=Party(self.notice_by.data),
            booking_lead_days=given(self.booking_lead_days.data),
            move_notice_days=given(self.move_notice_days.data),
            cancellation_days=given(self.cancellation_days.data),
            cancellation_fee_percent=given(self.cancellation_fee_percent.data),
            overage_rate=self.overage_rate.data,
            site_id=site_id,
            assumption=(self.assumption.data or "").strip(),
            steps=tuple(
                Step(row.form.start.data, row.form.gpus.data, row.form.monthly_fee.data) for row in self.filled
            ),
        )

    @property
    def filled(self) -> list[FormField]:
        return [row for row in self.steps if not row.form.is_empty]

    def validate(self, extra_validators: object = None) -> bool:
        is_valid = bool(super().validate(extra_validators))
        for row in self.filled:
            for field in row.form:
                if field.data is None and not field.errors:
                    field.errors = ["Fill in the whole row, or nothing of it."]
                    is_valid = False
        return is_valid

    def show(self, problems: Sequence[Problem]) -> None:
        """Each problem beside its field, those of the schedule as a whole above all."""
        for problem in problems:
            if problem.field == "steps":
                self.refuse(problem.sentence)
            else:
                self[problem.field].errors = [*self[problem.field].errors, problem.sentence]


class TenantForm(BaseForm):
    """A new tenant."""

    name = TextField("Name", validators=[InputRequired("Write the tenant's name."), Length(max=200)])
    public_id = TextField(
        "Short name",
        description="Small letters, digits and hyphens, such as reflection. It cannot be changed.",
        validators=[InputRequired("Choose a short name.")],
        render_kw=_PLAIN,
    )
    kind = SelectField(
        "Kind", choices=choices((kind.value, kind.replace("_", " ").capitalize()) for kind in TenantKind)
    )
    max_gpus = WholeField("Limit", description="GPUs promised at a time. Leave it empty for none.")


class QuotaForm(BaseForm):
    """A tenant's limit, and the version of the tenant that the person saw."""

    max_gpus = WholeField("Limit", description="GPUs promised at a time. Leave it empty for none.")
    version = HiddenField()


class RateForm(BaseForm):
    """A line of the rate card."""

    scope = SelectField("Scope", choices=choices((scope.value, scope.capitalize()) for scope in Scope))
    interruptible = SelectField("Kind", choices=choices([("no", "Firm"), ("yes", "Interruptible")]))
    start = DayField("From", description="Quotes made from this day on.", validators=[_DAY])
    usd_per_gpu_hour = AmountField("Rate", validators=[InputRequired("Write a rate, such as 2.35.")])
