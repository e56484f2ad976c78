"""Forms of the approver's queue."""

from __future__ import annotations

from wtforms import TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange

from portal.approvals.actions import HIGHEST_TIER
from portal.web.forms import BaseForm, WholeField


class DeclineForm(BaseForm):
    text = TextAreaField(
        "Reason",
        description="The tenant reads it. Name no other tenant.",
        validators=[DataRequired("Write the reason: the tenant will read it."), Length(max=1_000)],
    )


class TierForm(BaseForm):
    tier = WholeField(
        "Tier",
        description="0 is served before 1, 1 before 2. Tenants never see it.",
        validators=[
            InputRequired("Write a tier, such as 1."),
            NumberRange(0, HIGHEST_TIER, f"A tier is a number from 0 to {HIGHEST_TIER}."),
        ],
    )
