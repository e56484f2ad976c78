"""Where a page sends people next."""

from __future__ import annotations

from urllib.parse import urlsplit


def local_address(address: str | None, otherwise: str) -> str:
    """`address` where it is a plain path of this site, else `otherwise`: a link to us sends nobody elsewhere."""
    if not address or not address.startswith("/") or address.startswith("//"):
        return otherwise
    if "\\" in address or any(ord(character) < 33 for character in address):
        return otherwise
    parts = urlsplit(address)
    return otherwise if parts.scheme or parts.netloc else address
