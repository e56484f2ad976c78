"""The base of all forms and its fields: shape only, never policy. An answer to a wrong form has the status 422."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Flask, request
from flask_wtf import CSRFProtect, FlaskForm
from wtforms import DateField, DecimalField, Field, IntegerField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from portal.domain.errors import DomainError

csrf = CSRFProtect()
WRONG_FORM = 422
_SEPARATORS = str.maketrans("", "", ", \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}_'")
_IN_OUR_WORDS = {"Not a valid choice.": "This is not in the list. Choose again."}


def init_app(app: Flask) -> None:
    csrf.init_app(app)


class _Sentences:
    """What WTForms itself says, in our words."""

    def gettext(self, text: str) -> str:
        return _IN_OUR_WORDS.get(text, text)

    def ngettext(self, one: str, many: str, number: int) -> str:
        return one if number == 1 else many


class BaseForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form that changes something: sent by POST, with a CSRF token."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # Flask-WTF has no types
        def get_translations(self, _form: FlaskForm) -> _Sentences:
            return _Sentences()

    def refuse(self, error: DomainError | str) -> None:
        """Show this refusal above the fields; the view answers with `WRONG_FORM`."""
        self.form_errors.append(error.sentence if isinstance(error, DomainError) else error)


class SearchForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """A form that only looks: sent by GET, read from the address, so that a search can be kept and mailed."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]  # Flask-WTF has no types
        csrf = False

    def __init__(self, **values: Any) -> None:
        super().__init__(formdata=request.args or None, **values)


class TextField(StringField):  # type: ignore[misc]  # WTForms has no types
    """One line of text, trimmed."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = valuelist[0].strip() if valuelist else ""


class WholeField(IntegerField):  # type: ignore[misc]  # WTForms has no types
    """A whole number; thousands separators may be typed: 12,960."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        text = _plain(valuelist)
        if not text:
            self.data = None
            return
        if not text.removeprefix("-").isdecimal() or len(text) > 15:
            self.data = None
            raise ValueError("Write a whole number, such as 12,960.")
        self.data = int(text)


class AmountField(DecimalField):  # type: ignore[misc]  # WTForms has no types
    """An exact decimal amount; thousands separators may be typed."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = None
        if not (text := _plain(valuelist)):
            return
        try:
            amount = Decimal(text)
        except InvalidOperation:
            amount = Decimal("NaN")
        if not amount.is_finite() or len(text) > 30:
            raise ValueError("Write an amount, such as 2.35 or 1,500,000.")
        self.data = amount


class DayField(DateField):  # type: ignore[misc]  # WTForms has no types
    """A day, as browsers send it: YYYY-MM-DD."""

    def process_formdata(self, valuelist: Sequence[str]) -> None:
        self.data = None
        text = valuelist[0].strip() if valuelist else ""
        if not text:
            return
        try:
            self.data = dt.datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=dt.UTC).date()
        except ValueError:
            raise ValueError("Write a day as YYYY-MM-DD, such as 2027-01-04.") from None


def choices(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    """The options of a `SelectField` or `RadioField` from values and labels."""
    return [SelectChoice(value=value, label=label) for value, label in pairs]


class TypedWord:
    """A validator: the person typed this very word, to confirm what cannot be undone."""

    field_flags = {"required": True}

    def __init__(self, word: str) -> None:
        self.word = word

    def __call__(self, form: FlaskForm, field: Field) -> None:
        if (field.data or "").strip() != self.word:
            raise ValidationError(f"Type {self.word} to confirm.")


def _plain(valuelist: Sequence[str]) -> str:
    return valuelist[0].strip().translate(_SEPARATORS).replace("\N{MINUS SIGN}", "-") if valuelist else ""
