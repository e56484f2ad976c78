"""The web application, put together: each part has its own `init_app`, and nothing here has rules of its own."""

from __future__ import annotations

from importlib import import_module

from flask import Flask
from flask_compress import Compress

from portal import features
from portal.auth import identity
from portal.clock import Clock
from portal.config import Settings, settings_or_exit
from portal.web import (
    assets,
    clock,
    database,
    errors,
    filters,
    forms,
    headers,
    limits,
    logs,
    navigation,
    permissions,
    theme,
)
from portal.web import settings as web_settings


def create_app(settings: Settings | None = None, *, time: Clock | None = None) -> Flask:
    """The portal for these settings, by default those of the environment; tests give a `time` that stands still."""
    settings = settings or settings_or_exit()
    app = Flask("portal", static_folder=None)
    web_settings.init_app(app, settings)
    database.init_app(app)
    clock.init_app(app, time or Clock())
    logs.init_app(app, settings)  # first of the hooks, so that every answer carries its request id
    headers.init_app(app)
    forms.init_app(app)
    limits.init_app(app)
    identity.init_app(app)
    permissions.init_app(app)
    Compress(app)
    filters.init_app(app)
    theme.init_app(app)
    errors.init_app(app)
    assets.init_app(app)
    _register_features(app)
    return app


def _register_features(app: Flask) -> None:
    modules = [import_module(path) for path in features.FEATURES]
    for module in modules:
        app.register_blueprint(module.blueprint)
    navigation.init_app(app, (entry for module in modules for entry in getattr(module, "navigation", ())))
