"""What the audit trail can be searched by."""

from __future__ import annotations

from portal.web.forms import SearchForm, TextField


class AuditSearch(SearchForm):
    words = TextField("Thing, person or action", description="Such as R-7GK2QX4M, or signed in")
