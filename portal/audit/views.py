"""The audit trail's page, for the auditor and the admin."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.audit import queries
from portal.audit.forms import AuditSearch
from portal.domain.permissions import Permission
from portal.web.database import db
from portal.web.navigation import Entry
from portal.web.paging import requested_page
from portal.web.permissions import requires

blueprint = Blueprint("audit", __name__)
navigation = (
    Entry(
        "Audit",
        "audit.trail",
        "scroll",
        (Permission.SEE_AUDIT,),
        order=920,
        section="Administration",
        work_of=(Permission.SEE_AUDIT,),
    ),
)

_PAGE_SIZE = 50


@blueprint.get("/audit")
@requires(Permission.SEE_AUDIT)
def trail() -> ResponseReturnValue:
    """Who did what to which thing, newest first, and whether the chain of hashes holds."""
    form = AuditSearch()
    wanted = queries.Filter(words=form.words.data or "")
    return render_template(
        "audit/trail.html",
        form=form,
        page=queries.entries(db.session, wanted, page=requested_page(), size=_PAGE_SIZE),
        verdict=queries.check_chain(db.session),
    )
