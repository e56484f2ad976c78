"""The settings of the application that answers this request."""

from __future__ import annotations

from typing import Any, cast

from flask import Flask, current_app
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.config import Mode, Settings

_EXTENSION = "berth_settings"


def init_app(app: Flask, settings: Settings) -> None:
    """Keep the settings, and translate them for Flask and its extensions."""
    app.extensions[_EXTENSION] = settings
    app.config.from_mapping(_flask_config(settings))
    app.jinja_env.globals["settings"] = settings
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # the documented way to wrap an application
            app.wsgi_app, x_for=settings.trusted_proxies, x_proto=settings.trusted_proxies
        )


def app_settings() -> Settings:
    return cast(Settings, current_app.extensions[_EXTENSION])


def _flask_config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        "TESTING": settings.mode is Mode.TEST,
        "SQLALCHEMY_ENGINES": {"default": settings.database_url},
        "SESSION_COOKIE_NAME": cookie_name(settings, "page"),
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.is_production,
        "WTF_CSRF_TIME_LIMIT": None,  # a form may stay open as long as its session lives
        "MAX_CONTENT_LENGTH": 16 * 1024 * 1024,
        "RATELIMIT_STORAGE_URI": "memory://",
        "RATELIMIT_HEADERS_ENABLED": True,
        "COMPRESS_ALGORITHM": ["br", "gzip"],
        "COMPRESS_BR_LEVEL": 4,
    }


def cookie_name(settings: Settings, name: str) -> str:
    """In production the name itself makes browsers insist on a secure cookie of this very host."""
    return f"__Host-berth_{name}" if settings.is_production else f"berth_{name}"
