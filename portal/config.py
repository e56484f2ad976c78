"""The settings of one installation: from a TOML file and the environment, every one checked before anything starts.

The environment (`BERTH_SECRET_KEY`) wins over the file that `BERTH_SETTINGS` names (`secret_key = "…"`), which wins
over the defaults. `docs/operations.md` lists them all.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn, get_type_hints
from urllib.parse import urlsplit

import limits
from sqlalchemy.exc import ArgumentError

from portal.models.engine import database_url

PREFIX = "BERTH_"
SETTINGS_FILE = "BERTH_SETTINGS"
NOT_SETTINGS = frozenset({SETTINGS_FILE, "BERTH_TEST_DATABASE_URL"})  # read by us and by the test suite, not settings

_SHORTEST_SECRET = 32  # characters
_OPEN_SECRET = "not-a-secret-only-for-demo-development-and-test"  # noqa: S105 - refused in production


class SettingsError(Exception):
    """Settings that cannot be started with; the text has one sentence per fault, one per line."""


class Mode(StrEnum):
    """What this installation is for. Production has no default secrets, and secure cookies."""

    PRODUCTION = "production"
    DEMO = "demo"
    TEST = "test"
    DEVELOPMENT = "development"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    return value.strip()


def _whole(low: int, high: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(text, str) or not text.strip().isdecimal() or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low:,} to {high:,}")
        return int(text)

    return parse


def _one_of(words: type[StrEnum]) -> Callable[[object], StrEnum]:
    def parse(value: object) -> StrEnum:
        try:
            return words(str(value).strip().lower())
        except ValueError:
            raise ValueError(f"must be one of {', '.join(words)}") from None

    return parse


def _time_of_day(value: object) -> dt.time:
    if isinstance(value, dt.time):
        return value
    try:
        return dt.datetime.strptime(str(value).strip(), "%H:%M").replace(tzinfo=dt.UTC).time()
    except ValueError:
        raise ValueError("must be a time of day in UTC, such as 02:30") from None


def _database(value: object) -> str:
    try:
        url = database_url(_text(value))
    except (ArgumentError, ValueError):
        raise ValueError("must be a database address such as sqlite:///var/berth.db or postgresql:///berth") from None
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        url = url.set(database=str(Path(url.database).resolve()))  # not relative to wherever a process is started later
    return url.render_as_string(hide_password=False)


def _web_address(value: object) -> str:
    parts = urlsplit(_text(value))
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be a web address such as https://berth.example.com")
    return _text(value).rstrip("/")


def _limit(value: object) -> str:
    try:
        return str(limits.parse(_text(value))) and _text(value)
    except ValueError:
        raise ValueError('must be a limit such as "10 per 15 minutes"') from None


def _folder(value: object) -> Path:
    return Path(_text(value)).expanduser().resolve()


@dataclass(frozen=True, slots=True)
class Setting:
    """How one setting is checked (a `ValueError` ends the sentence "BERTH_X …"), and what the documentation says."""

    parse: Callable[[object], Any]
    says: str


_NIGHTLY = dt.time(2, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One installation's settings, checked."""

    mode: Annotated[Mode, Setting(_one_of(Mode), "What this installation is for")] = Mode.PRODUCTION
    secret_key: Annotated[str, Setting(_text, "Signs cookies and form tokens; 32 characters or more")] = field(
        repr=False
    )
    database_url: Annotated[str, Setting(_database, "SQLite or PostgreSQL")] = field(repr=False)
    var_dir: Annotated[Path, Setting(_folder, "Folder for the SQLite file and the files of solver runs")]
    public_url: Annotated[str, Setting(_web_address, "The address people type, for links in mails")] = (
        "http://127.0.0.1:8080"
    )
    host: Annotated[str, Setting(_text, "Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Setting(_whole(1, 65_535), "Port to listen on")] = 8080
    trusted_proxies: Annotated[
        int, Setting(_whole(0, 5), "How many proxies in front set X-Forwarded-For and X-Forwarded-Proto")
    ] = 0
    session_lifetime_hours: Annotated[int, Setting(_whole(1, 720), "Hours until a person has to sign in again")] = 12
    session_idle_minutes: Annotated[int, Setting(_whole(5, 43_200), "Minutes without a page until a session ends")] = (
        120
    )
    sign_in_limit_account: Annotated[str, Setting(_limit, "Failed sign-ins for one e-mail address")] = (
        "10 per 15 minutes"
    )
    sign_in_limit_address: Annotated[str, Setting(_limit, "Failed sign-ins from one network address")] = (
        "30 per 15 minutes"
    )
    password_time_cost: Annotated[int, Setting(_whole(1, 20), "Passes of argon2 over its memory")] = 3
    password_memory_kib: Annotated[int, Setting(_whole(8, 4_194_304), "Memory of one argon2 hash, in KiB")] = 65_536
    nightly_run_at: Annotated[dt.time, Setting(_time_of_day, "When the worker plans each night, UTC")] = _NIGHTLY
    solver_time_limit_s: Annotated[int, Setting(_whole(1, 86_400), "Seconds that one run of the solver may take")] = 300
    solver_workers: Annotated[int, Setting(_whole(1, 256), "Processes that one run of the solver may use")] = 2
    log_format: Annotated[LogFormat, Setting(_one_of(LogFormat), "How log lines are written")] = LogFormat.TEXT
    log_level: Annotated[LogLevel, Setting(_one_of(LogLevel), "The least important line that is written")] = (
        LogLevel.INFO
    )

    @property
    def is_production(self) -> bool:
        return self.mode is Mode.PRODUCTION

    @property
    def has_style_guide(self) -> bool:
        return not self.is_production


def known_settings() -> dict[str, Setting]:
    """Every setting by its name in a file, in the order of the documentation."""
    hints = get_type_hints(Settings, include_extras=True)
    return {name: hint.__metadata__[0] for name, hint in hints.items()}


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read, check and return the settings; raise `SettingsError` with every fault, unknown names included."""
    given = _from_file(environ.get(SETTINGS_FILE)) | _from_environment(environ)
    known = known_settings()
    faults = [
        f"There is no setting {shown(name)}; docs/operations.md lists them all."
        for name in sorted(given.keys() - known.keys())
    ]
    values: dict[str, Any] = {}
    for name, setting in known.items():
        if name in given:
            _parse_into(values, faults, name, setting.parse, given[name])
    if "mode" in values or "mode" not in given:
        _fill(values)
        faults += _secret_faults(values) if "secret_key" in values or "secret_key" not in given else []
    if faults:
        raise SettingsError("\n".join(faults))
    return Settings(**values)


def settings_or_exit(environ: Mapping[str, str] | None = None) -> Settings:
    """Return the settings, or say what is wrong with them on the error stream and exit with 2."""
    try:
        return load_settings(os.environ if environ is None else environ)
    except SettingsError as error:
        _exit(str(error))


def _exit(sentence: str) -> NoReturn:
    sys.stderr.write(f"{sentence}\n")
    raise SystemExit(2)


def _from_file(path: str | None) -> dict[str, object]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{SETTINGS_FILE} names {path}, which cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{SETTINGS_FILE} names {path}, which is not a TOML file: {error}.") from None


def _from_environment(environ: Mapping[str, str]) -> dict[str, object]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and name not in NOT_SETTINGS
    }


def _parse_into(
    values: dict[str, Any], faults: list[str], name: str, parse: Callable[[object], Any], value: object
) -> None:
    try:
        values[name] = parse(value)
    except ValueError as error:
        faults.append(f"{shown(name)} {error}.")


def _fill(values: dict[str, Any]) -> None:
    """Defaults that depend on other settings."""
    values.setdefault("var_dir", Path("var").resolve())
    values.setdefault("database_url", f"sqlite:///{values['var_dir'] / 'berth.db'}")
    if values.get("mode", Mode.PRODUCTION) is not Mode.PRODUCTION:
        values.setdefault("secret_key", _OPEN_SECRET)
    if values.get("mode") is Mode.TEST:  # a test signs in hundreds of times
        values.setdefault("password_time_cost", 1)
        values.setdefault("password_memory_kib", 64)


def _secret_faults(values: Mapping[str, Any]) -> list[str]:
    """In production the secret has no default and must be a real one."""
    secret = values.get("secret_key", "")
    if values.get("mode", Mode.PRODUCTION) is not Mode.PRODUCTION:
        return []
    if len(secret) >= _SHORTEST_SECRET and secret != _OPEN_SECRET:
        return []
    return [f"{shown('secret_key')} must be set to a random text of {_SHORTEST_SECRET} characters or more."]


def shown(name: str) -> str:
    """The setting's name in the environment, which messages use."""
    return PREFIX + name.upper()
