"""Style sheets, scripts and the icon: read once at the start, served under the hash of what is in them.

Style sheets are written one file per component and served as one. An address never changes its content, so browsers
keep it for a year; a changed file has a new address.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Flask, Response, abort, current_app, url_for

from portal.web.permissions import public

STATIC = Path(__file__).parent.parent / "static"
BUNDLE = "berth.css"
_LAYERS = "@layer reset, tokens, base, layout, components, charts, utilities, print;\n"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOREVER = "public, max-age=31536000, immutable"

blueprint = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served: `name` as templates call it, `digest` of its content in its address."""

    name: str
    content: bytes
    digest: str

    @property
    def type(self) -> str:
        return _TYPES[Path(self.name).suffix]


def init_app(app: Flask) -> None:
    assets = load_assets()
    app.extensions["berth_assets"] = assets
    app.register_blueprint(blueprint)
    app.jinja_env.globals["asset"] = lambda name: url_for("assets.serve", digest=assets[name].digest, name=name)


def load_assets() -> dict[str, Asset]:
    """Every script and icon by name, and all style sheets as `berth.css`."""
    files = {path.name: path.read_bytes() for path in _files("*.js", "*.svg")}
    files[BUNDLE] = _LAYERS.encode() + b"\n".join(_unindented(path.read_bytes()) for path in _files("*.css"))
    return {
        name: Asset(name=name, content=content, digest=hashlib.sha256(content).hexdigest()[:12])
        for name, content in files.items()
    }


def _unindented(style_sheet: bytes) -> bytes:
    """A style sheet without what is only there for those who write it: indentation and empty lines."""
    return b"\n".join(line.strip() for line in style_sheet.splitlines() if line.strip())


@blueprint.get("/static/<string(length=12):digest>/<string:name>")
@public
def serve(digest: str, name: str) -> Response:
    """One asset; an old address of a changed file answers 404, never with other content."""
    asset = _assets().get(name)
    if asset is None or asset.digest != digest:
        abort(404)
    return Response(asset.content, mimetype=asset.type, headers={"Cache-Control": _FOREVER})


def _assets() -> dict[str, Asset]:
    assets: dict[str, Asset] = current_app.extensions["berth_assets"]
    return assets


def _files(*patterns: str) -> Iterable[Path]:
    return (path for pattern in patterns for path in sorted(STATIC.rglob(pattern)))
