"""Steps that journeys share."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.journeys.tab import Tab


def run_solver(approver: Tab) -> None:
    """Ask for a run, follow it to its end without touching the page, and go on to its plan."""
    approver.go("/plans").press("Run the solver now").expects("Progress")
    approver.page.wait_for_url("**/runs/*")
    expect(approver.main).to_contain_text("It proposed plan")
    approver.look().press("Review the plan").expects("Value and proof")
    approver.page.wait_for_url("**/plans/*")
    approver.look()


def publish(approver: Tab) -> None:
    """Type the word and publish the plan that is open."""
    approver.fill(confirmation="publish").press("Approve and publish")
    approver.expects("The plan is published").look()
