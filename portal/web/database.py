"""The session of a request: `db.session`, closed when the request ends. Views commit, actions never do."""

from __future__ import annotations

from flask import Flask
from flask_sqlalchemy_lite import SQLAlchemy

from portal.models.engine import prepare

db = SQLAlchemy()


def init_app(app: Flask) -> None:
    db.init_app(app)
    with app.app_context():
        prepare(db.engine)
