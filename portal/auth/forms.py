"""Forms of signing in and of people."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms import PasswordField, SelectField
from wtforms.validators import InputRequired, Length

from portal.auth.passwords import LONGEST, SHORTEST
from portal.domain.states import Role
from portal.models.tenants import Tenant
from portal.web.forms import BaseForm, TextField, choices


class SignInForm(BaseForm):
    email = TextField(
        "E-mail address",
        validators=[InputRequired("Write your e-mail address.")],
        render_kw={"type": "email", "autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = PasswordField(
        "Password",
        validators=[InputRequired("Write your password.")],
        render_kw={"autocomplete": "current-password", "maxlength": LONGEST},
    )


class PasswordForm(BaseForm):
    old = PasswordField(
        "Current password",
        validators=[InputRequired("Write your current password.")],
        render_kw={"autocomplete": "current-password", "maxlength": LONGEST},
    )
    new = PasswordField(
        "New password",
        description=f"{SHORTEST} characters or more. You sign in again with it, here and everywhere else.",
        validators=[InputRequired("Write a new password.")],
        render_kw={"autocomplete": "new-password", "maxlength": LONGEST},
    )


class UserForm(BaseForm):
    """A new person; `tenants` are the ones to choose from."""

    name = TextField("Name", validators=[InputRequired("Write the person's name."), Length(max=200)])
    email = TextField(
        "E-mail address",
        validators=[InputRequired("Write an e-mail address."), Length(max=254)],
        render_kw={"type": "email", "autocapitalize": "none", "spellcheck": "false"},
    )
    role = SelectField("Role", choices=choices((role.value, role.value.capitalize()) for role in Role))
    tenant = SelectField("Tenant", description="Only for a viewer, a booker or an owner.")
    password = PasswordField(
        "First password",
        description=f"{SHORTEST} characters or more. Hand it over on another way than e-mail.",
        validators=[InputRequired("Write a first password.")],
        render_kw={"autocomplete": "new-password", "maxlength": LONGEST},
    )

    def __init__(self, tenants: Sequence[Tenant]) -> None:
        super().__init__()
        self.tenant.choices = choices(
            [("", "None: the provider's own"), *((each.public_id, each.name) for each in tenants)]
        )
