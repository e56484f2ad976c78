"""Forms about plans."""

from __future__ import annotations

from portal.web.forms import BaseForm, TextField, TypedWord

WORD = "publish"


class PublishForm(BaseForm):
    """Typed confirmation: publishing tells tenants, moves and recalls."""

    confirmation = TextField(f"Type {WORD} to confirm", validators=[TypedWord(WORD)])
