"""Logs: one line per request, readable in a terminal or JSON, each with the id that the answer carries too."""

from __future__ import annotations

import logging
import secrets
import sys
import time

import structlog
from flask import Flask, Response, g, request

from portal.config import LogFormat, Mode, Settings

log = structlog.stdlib.get_logger("berth")

_SHARED: tuple[structlog.typing.Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def init_app(app: Flask, settings: Settings) -> None:
    """Also sets up the logs of the process, except in tests, which read what is logged themselves."""
    if settings.mode is not Mode.TEST:
        configure_logs(settings)
    app.before_request(_begin)
    app.after_request(_end)


def configure_logs(settings: Settings) -> None:
    """Send the logs of this process, those of libraries included, to the error stream in the chosen format."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=_SHARED, processors=_last_processors(settings.log_format))
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.log_level.upper())


def _last_processors(log_format: LogFormat) -> list[structlog.typing.Processor]:
    clean = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if log_format is LogFormat.JSON:
        return [clean, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [clean, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]


def _begin() -> None:
    g.request_id = secrets.token_hex(8)
    g.started = time.monotonic()
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def _end(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.request_id
    if request.endpoint != "assets.serve":
        taken_ms = round((time.monotonic() - g.started) * 1000, 1)
        log.info("request", method=request.method, path=request.path, status=response.status_code, ms=taken_ms)
    return response
