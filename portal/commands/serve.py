"""``berth serve``: the web server."""

from __future__ import annotations

from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]  # gunicorn has no types

from portal.app import create_app
from portal.commands.support import engine_of, settings
from portal.config import Settings

THREADS = 64  # each page that follows a run may hold one for a while


@click.command()
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
def serve(workers: int) -> None:
    """Serve the portal until told to stop."""
    checked = settings()
    engine_of(checked).dispose()
    _Server(checked, workers).run()


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn with threads, set up from our settings instead of its own files."""

    def __init__(self, checked: Settings, workers: int) -> None:
        self._settings = checked
        self._workers = workers
        super().__init__()

    def load_config(self) -> None:
        options: dict[str, Any] = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "workers": self._workers,
            "worker_class": "gthread",
            "threads": THREADS,
            "loglevel": "warning",
            "proc_name": "berth",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application, made in each worker process after the fork."""
        return create_app(self._settings)
