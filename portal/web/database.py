"""The session of a request: `db.session`, closed when the request ends. Views commit, actions never do."""

from __future__ import annotations

from inspect import iscoroutinefunction

from flask import Flask
from flask_sqlalchemy_lite import SQLAlchemy

from portal.models.engine import prepare

db = SQLAlchemy()


def init_app(app: Flask) -> None:
    db.init_app(app)
    # The extension also closes asynchronous sessions, in an event loop of its own at each request; we have none.
    app.teardown_appcontext_funcs = [each for each in app.teardown_appcontext_funcs if not iscoroutinefunction(each)]
    with app.app_context():
        prepare(db.engine)
