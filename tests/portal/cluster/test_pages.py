"""Pages of the cluster: what they answer, to whom, and that nothing typed is lost."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.domain.states import OutageKind, Role
from portal.models.cluster import Hall, Outage, PowerLimit
from portal.models.plans import Run
from tests.portal import factories
from tests.portal.cluster.building import day
from tests.portal.factories import TODAY, Cluster
from tests.portal.web.fixtures import Enter

PROVIDERS = (Role.OPERATOR, Role.APPROVER, Role.ADMIN, Role.AUDITOR)
TENANTS = (Role.VIEWER, Role.BOOKER, Role.OWNER)


def pages(rows: Session) -> list[str]:
    """An address of each page, with things behind it."""
    made = factories.cluster(rows)
    outage = factories.outage(rows, made.racks[0])
    limit = factories.power_limit(rows, made.sites[0])
    rows.commit()
    return [
        "/cluster",
        "/cluster/halls/s1-h1",
        "/cluster/racks/s1-h1-p1-r1",
        "/timeline",
        "/timeline?hall=s1-h1",
        "/outages",
        f"/outages/{outage.id}",
        "/outages/power-limits",
        f"/outages/power-limits/{limit.id}",
    ]


@pytest.mark.parametrize("role", PROVIDERS)
def test_the_providers_people_see_every_page(enter: Enter, rows: Session, role: Role) -> None:
    addresses = pages(rows)
    person = enter(role)

    for address in addresses:
        person.get(address)


@pytest.mark.parametrize("role", TENANTS)
def test_a_tenant_sees_none_of_them(enter: Enter, rows: Session, role: Role) -> None:
    addresses = pages(rows)
    person = enter(role)

    for address in [*addresses, "/outages/new", "/outages/power-limits/new"]:
        person.get(address, status=403)


def test_the_auditor_looks_and_changes_nothing(enter: Enter, rows: Session) -> None:
    addresses = pages(rows)
    auditor = enter(Role.AUDITOR)

    for address in addresses:
        labels = {each.text for each in auditor.get(address).tree.all("button", "a")}
        assert labels.isdisjoint({"Record an outage", "Record a power limit", "Remove", "Change the spares"}), address
    for address in ("/outages/new", "/outages/power-limits/new"):
        auditor.get(address, status=403)
        auditor.post(address, status=403)
    auditor.post("/cluster/halls/s1-h1/spare-racks", {"spare_racks": "1", "version": "1"}, status=403)
    auditor.post(f"{addresses[6]}/remove", status=403)
    auditor.post(f"{addresses[8]}/remove", status=403)


@pytest.mark.parametrize(
    "address", ["/cluster/halls/x", "/cluster/racks/x", "/outages/9999", "/outages/power-limits/9999"]
)
def test_what_is_not_there_is_not_found(enter: Enter, address: str) -> None:
    enter(Role.OPERATOR).get(address, status=404)


def test_without_a_cluster_the_page_says_where_one_comes_from(enter: Enter) -> None:
    assert "berth import FILE" in enter(Role.ADMIN).get("/cluster").text


def test_the_cluster_answers_first(enter: Enter, rows: Session) -> None:
    """Of 4 racks 1 is out and 1 booked: 72 of 216 GPUs for sale."""
    made = factories.cluster(rows)
    factories.reservation(rows, racks=[made.racks[0]], start=TODAY)
    factories.outage(rows, made.racks[3])
    factories.power_limit(rows, made.sites[0], 280.0)
    rows.commit()

    text = enter(Role.OPERATOR).get("/cluster").text

    assert "288 GPUs (4 racks); today 33 % of what is for sale is booked" in text
    assert "1 rack out" in text
    assert "Site 1 to be under a power limit 1 Jan – 31 Mar 2027" in text


def test_the_chosen_day_is_part_of_the_address(enter: Enter, rows: Session) -> None:
    made = factories.cluster(rows)
    factories.reservation(rows, racks=made.racks[:3], gpus=216)
    rows.commit()
    operator = enter(Role.OPERATOR)
    page = operator.get("/cluster?days=30")

    then = operator.press(page, "Show this day", day="2027-01-10")

    assert "Halls on 10 Jan 2027" in then.text
    assert "216 firm, 0 interruptible" in then.text


@pytest.mark.parametrize("query", ["day=nonsense", "from=2020-01-01", "from=2099-01-01&days=9999&day=1999-01-01"])
def test_days_of_which_nothing_is_known_lead_to_the_nearest_that_are(enter: Enter, rows: Session, query: str) -> None:
    factories.cluster(rows)
    rows.commit()

    enter(Role.OPERATOR).get(f"/cluster?{query}")


def test_a_hall_on_a_day_says_who_is_there(enter: Enter, rows: Session) -> None:
    made = factories.cluster(rows)
    alpha = factories.tenant(rows, name="Alpha")
    row = factories.reservation(rows, tenant=alpha, racks=made.racks[:2], gpus=144)
    factories.outage(rows, made.racks[1], start=day("01-05", 2027), kind=OutageKind.FAILURE)
    rows.commit()
    operator = enter(Role.OPERATOR)

    assert "Nobody is here on this day." in operator.get("/cluster/halls/s1-h1").text
    page = operator.get("/cluster/halls/s1-h1?day=2027-01-05")

    assert "1 of 4 racks in use on 5 Jan 2027 , 2 free, 1 out." in page.text
    assert f"Alpha ({row.public_id}) stands on 1 rack out of use" in page.text
    assert f"/reservations/{row.public_id}" in {each["href"] for each in page.tree.all("a")}


def test_a_rack_says_who_has_it_and_who_comes_next(enter: Enter, rows: Session) -> None:
    made = factories.cluster(rows)
    factories.reservation(rows, tenant=factories.tenant(rows, name="Alpha"), racks=[made.racks[0]])
    factories.reservation(
        rows, tenant=factories.tenant(rows, name="Beta"), racks=[made.racks[1]], start=TODAY, end=day("12-01")
    )
    rows.commit()
    operator = enter(Role.OPERATOR)

    assert "Free today , until Alpha comes on 1 Jan 2027" in operator.get("/cluster/racks/s1-h1-p1-r1").text
    assert "Beta has it today , until 30 Nov 2026" in operator.get("/cluster/racks/s1-h1-p1-r2").text
    assert "Nobody has been on it" in operator.get("/cluster/racks/s1-h1-p1-r3").text


def test_the_timeline_shows_a_site_a_hall_and_the_days_asked_for(enter: Enter, rows: Session) -> None:
    made = factories.cluster(rows, sites=2, halls=2)
    for rack, name in ((made.racks[0], "Alpha"), (made.racks[-1], "Beta")):
        factories.reservation(rows, tenant=factories.tenant(rows, name=name), racks=[rack])
    factories.power_limit(rows, made.sites[1])
    rows.commit()
    operator = enter(Role.OPERATOR)

    every, site, hall = (operator.get(f"/timeline{query}") for query in ("", "?site=s2", "?hall=s1-h1"))

    assert "2 blocks in the cluster" in every.text
    assert "1 block in Site 2" in site.text
    assert "Site 2 power" in site.response.text
    assert "1 block in Hall 1.1" in hall.text
    assert "Alpha, 1 rack" in every.text
    assert "Alpha 1 rack" in hall.text  # the row says whose it is
    assert "Beta" not in hall.text
    assert "0 blocks" in operator.get("/timeline?from=2026-11-01&days=30").text


def test_an_outage_is_recorded_after_reading_what_follows(enter: Enter, rows: Session) -> None:
    made = factories.cluster(rows)
    alpha = factories.tenant(rows, name="Alpha")
    row = factories.reservation(rows, tenant=alpha, racks=made.racks[:2], gpus=144)
    rows.commit()
    operator = enter(Role.OPERATOR)
    empty = operator.get("/outages/new?unit=s1-h1-p1")

    seen = operator.press(empty, "See what follows", note="Leak", last_day="2027-01-10")
    assert "1 block loses racks." in seen.text
    assert row.public_id in seen.text
    assert rows.scalars(sa.select(Outage)).all() == []

    done = operator.press(seen, "Record the outage")
    rows.rollback()
    assert "The outage is recorded." in done.text
    assert {(each.note, each.end) for each in rows.scalars(sa.select(Outage))} == {("Leak", day("01-11", 2027))}
    assert rows.scalar(sa.select(sa.func.count()).select_from(Run)) == 1


def test_a_wrong_form_keeps_what_was_typed(enter: Enter, rows: Session) -> None:
    factories.cluster(rows)
    rows.commit()
    operator = enter(Role.OPERATOR)
    page = operator.get("/outages/new")
    typed = {"units": "s1-h9", "note": "A long story", "kind": "maintenance"}

    for values, sentence in (
        ({"start": ""}, "Choose the first day."),
        ({"start": "2026-13-01"}, "Write a day as YYYY-MM-DD"),
        ({"start": "2026-12-01"}, "There is no rack, pod or hall called s1-h9."),
        ({"start": "2026-12-01", "last_day": "2026-11-30"}, "The last day lies before the first one."),
    ):
        again = operator.press(page, "See what follows", status=422, **typed, **values)
        assert sentence in again.text
        assert again.tree.one("textarea").text == "s1-h9"
        assert {"A long story"} <= {each["value"] for each in again.tree.all("input")}


def test_an_operator_is_shown_the_first_day_in_good_time_and_no_button(enter: Enter, rows: Session) -> None:
    made = factories.cluster(rows)
    factories.reservation(rows, racks=[made.racks[0]], start=TODAY)
    rows.commit()
    values = {"kind": "maintenance", "start": "2026-11-25"}
    operator, admin = enter(Role.OPERATOR), enter(Role.ADMIN)
    start = operator.get("/outages/new?unit=s1-h1")

    seen = operator.press(start, "See what follows", **values)
    assert "Begin on 6 Dec 2026 or later" in seen.text
    assert "Record the outage" not in seen.text
    forced = {"units": "s1-h1", "wanted": "record", "overrides": "y", **values}
    refused = operator.post("/outages/new", forced, status=409)
    assert "has changed since you read it" in refused.text

    seen = admin.press(admin.get("/outages/new?unit=s1-h1"), "See what follows", **values)
    again = admin.press(seen, "Record the outage", status=403)
    assert "Tick the override" in again.text
    assert "The outage is recorded." in admin.press(again, "Record the outage", overrides="y").text


def test_what_changed_since_it_was_read_is_shown_again(enter: Enter, rows: Session) -> None:
    made = factories.cluster(rows)
    rows.commit()
    operator = enter(Role.OPERATOR)
    seen = operator.press(operator.get("/outages/new?unit=s1-h1"), "See what follows")
    late = factories.reservation(rows, racks=[made.racks[0]])
    rows.commit()

    again = operator.press(seen, "Record the outage", status=409)

    assert "has changed since you read it" in again.text
    assert late.public_id in again.text
    assert "The outage is recorded." in operator.press(again, "Record the outage").text


def test_outages_are_listed_now_to_come_and_over(enter: Enter, rows: Session) -> None:
    made = factories.cluster(rows, pods=2)
    for rack in made.racks[:4]:
        factories.outage(rows, rack, note="whole pod")
    factories.outage(rows, made.racks[5], start=day("12-14"), end=day("12-17"), kind=OutageKind.MAINTENANCE)
    factories.outage(rows, made.racks[6], start=day("11-01"), end=day("11-03"), note="long over")
    rows.commit()
    operator = enter(Role.OPERATOR)

    now, planned, past = (operator.get(f"/outages{query}") for query in ("", "?show=planned", "?show=past"))

    assert "s1-h1-p1 failure" in now.text
    assert "4 racks failed" in now.text
    assert "long over" not in now.text
    assert "s1-h1-p2-r2 maintenance 14 – 16 Dec 2026" in planned.text
    assert "long over" in past.text


def test_an_outage_is_given_a_last_day_or_removed(enter: Enter, rows: Session) -> None:
    made = factories.cluster(rows)
    kept, wrong = (factories.outage(rows, rack, note=note) for rack, note in zip(made.racks, ("a", "b"), strict=False))
    rows.commit()
    operator = enter(Role.OPERATOR)

    page = operator.press(operator.get(f"/outages/{kept.id}"), "See what follows", last_day="2026-11-24")
    assert "The outage is corrected." in operator.press(page, "Record the correction").text
    assert "The outage is removed" in operator.press(operator.get(f"/outages/{wrong.id}"), "Remove the outage").text

    rows.rollback()
    assert [(row.note, row.end) for row in rows.scalars(sa.select(Outage))] == [("a", day("11-25"))]


def test_a_power_limit_is_recorded_ended_and_removed(enter: Enter, rows: Session) -> None:
    made = factories.cluster(rows)
    row = factories.reservation(rows, racks=made.racks[:2], gpus=144)
    rows.commit()
    operator = enter(Role.OPERATOR)
    values = {"kw": "150", "start": "2027-01-01", "last_day": "2027-02-28", "note": "Court"}

    seen = operator.press(operator.get("/outages/power-limits/new"), "See what follows", **values)
    assert "Reservations stand above the limit on 30 days , by 1 rack at most." in seen.text
    assert row.public_id in seen.text
    listed = operator.press(seen, "Record the limit")
    assert "Site 1 to be under a power limit 1 Jan – 28 Feb 2027 : 1 rack stays powered" in listed.text

    rows.rollback()
    limit = rows.scalars(sa.select(PowerLimit)).one()
    page = operator.get(f"/outages/power-limits/{limit.id}")
    refused = operator.press(page, "End it on this day", last_day="2027-06-01", status=422)
    assert "record a further limit" in refused.text
    assert "ends earlier" in operator.press(page, "End it on this day", last_day="2027-01-15").text
    assert "is removed" in operator.press(page, "Remove the limit").text
    rows.rollback()
    assert rows.scalars(sa.select(PowerLimit)).all() == []


def test_a_wrong_power_limit_keeps_what_was_typed(enter: Enter, rows: Session) -> None:
    factories.cluster(rows)
    rows.commit()
    operator = enter(Role.OPERATOR)
    page = operator.get("/outages/power-limits/new")
    values = {"start": "2027-01-10", "last_day": "2027-01-01", "note": "Court"}

    for kw, sentence in (("much", "Write an amount"), ("-5", "Write 0 or more."), ("150", "The last day lies before")):
        again = operator.press(page, "See what follows", status=422, kw=kw, **values)
        assert sentence in again.text
        assert {"Court", kw} <= {each["value"] for each in again.tree.all("input")}


def test_the_spares_of_a_hall_are_changed_on_its_page(enter: Enter, rows: Session) -> None:
    made: Cluster = factories.cluster(rows)
    rows.commit()
    operator = enter(Role.OPERATOR)
    page = operator.get("/cluster/halls/s1-h1")

    again = operator.press(page, "Change the spares", spare_racks="9", status=422)
    assert "The hall has 4 racks: write a number from 0 to 4." in again.text
    assert {"9"} <= {each["value"] for each in again.tree.all("input")}
    assert "spare racks is changed" in operator.press(again, "Change the spares", spare_racks="2").text
    late = operator.press(page, "Change the spares", spare_racks="3", status=409)
    assert "Someone changed this" in late.text

    rows.rollback()
    assert rows.get_one(Hall, made.halls[0].id).spare_racks == 2
