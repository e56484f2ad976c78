"""Fields that understand what people type."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from portal.web.forms import AmountField, BaseForm, DayField, SearchForm, TextField, TypedWord, WholeField, choices


class Form(BaseForm):
    class Meta(BaseForm.Meta):
        csrf = False

    whole = WholeField()
    amount = AmountField()
    day = DayField()
    text = TextField()
    word = TextField(validators=[TypedWord("discard")])


class Search(SearchForm):
    text = TextField()


def filled(app: Flask, **values: str) -> Any:
    with app.test_request_context("/", method="POST", data={"word": "discard", **values}):
        form = Form()
        form.validate()
        return form


@pytest.mark.parametrize(
    ("typed", "number"), [("12960", 12960), (" 12,960 ", 12960), ("12 960", 12960), ("−4", -4), ("", None)]
)
def test_a_whole_number_may_have_separators(app: Flask, typed: str, number: int | None) -> None:
    """As people copy them."""
    form = filled(app, whole=typed)

    assert (form.whole.data, form.errors) == (number, {})


@pytest.mark.parametrize("typed", ["many", "1.5", "1e3", "-", "²", "9" * 16])
def test_what_is_no_whole_number_is_refused_and_kept(app: Flask, typed: str) -> None:
    """The form never loses what was typed."""
    form = filled(app, whole=typed)

    assert form.whole.errors == ["Write a whole number, such as 12,960."]
    assert f'value="{typed}"' in form.whole()


@pytest.mark.parametrize(
    ("typed", "amount"), [("2.35", Decimal("2.35")), ("1,500,000", Decimal(1_500_000)), ("", None)]
)
def test_an_amount_is_exact(app: Flask, typed: str, amount: Decimal | None) -> None:
    """A decimal, never a float."""
    assert filled(app, amount=typed).amount.data == amount


@pytest.mark.parametrize("typed", ["free", "NaN", "Infinity", "1.2.3"])
def test_what_is_no_amount_is_refused(app: Flask, typed: str) -> None:
    """Not a number is none either."""
    assert filled(app, amount=typed).amount.errors == ["Write an amount, such as 2.35 or 1,500,000."]


def test_a_day_is_iso(app: Flask) -> None:
    """As browsers send it."""
    assert filled(app, day="2027-01-04").day.data == dt.date(2027, 1, 4)
    assert filled(app, day="").day.data is None


@pytest.mark.parametrize("typed", ["4 Jan 2027", "2027-02-30", "20270104"])
def test_what_is_no_day_is_refused(app: Flask, typed: str) -> None:
    """With an example."""
    assert filled(app, day=typed).day.errors == ["Write a day as YYYY-MM-DD, such as 2027-01-04."]


def test_texts_are_trimmed(app: Flask) -> None:
    """White space around a name is never meant."""
    assert filled(app, text="  Aurora Labs \n").text.data == "Aurora Labs"


@pytest.mark.parametrize(("typed", "errors"), [("discard", []), (" discard ", []), ("", 1), ("Discard", 1)])
def test_a_typed_confirmation_is_that_very_word(app: Flask, typed: str, errors: object) -> None:
    """For what cannot be undone."""
    said = list(filled(app, word=typed).word.errors)

    assert said == ([] if errors == [] else ["Type discard to confirm."])


def test_a_search_is_read_from_the_address(app: Flask) -> None:
    """And needs no token."""
    with app.test_request_context("/?text=R-7GK2QX4M"):
        form = Search()

    assert form.text.data == "R-7GK2QX4M"
    assert "csrf_token" not in form


def test_choices_are_values_with_labels() -> None:
    """In the order given."""
    assert [(each.value, each.label) for each in choices([("m", "Memphis"), ("", "Any")])] == [
        ("m", "Memphis"),
        ("", "Any"),
    ]
