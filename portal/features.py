"""The features of the portal, in the order in which their navigation entries appear within a section.

Each names a module with a `blueprint` and, where people should find it, `navigation`: a tuple of `Entry`.
"""

from __future__ import annotations

FEATURES: tuple[str, ...] = (
    "portal.web.pages",
    "portal.bookings.overview_views",
    "portal.bookings.request_views",
    "portal.bookings.reservation_views",
    "portal.bookings.offer_views",
    "portal.approvals.views",
    "portal.plans.views",
    "portal.contracts.views",
    "portal.contracts.notice_views",
    "portal.contracts.tenant_views",
    "portal.contracts.rate_views",
    "portal.cluster.views",
    "portal.cluster.timeline_views",
    "portal.cluster.outage_views",
    "portal.cluster.power_views",
    "portal.auth.views",
    "portal.auth.user_views",
    "portal.audit.views",
)
