"""Settings: read from file and environment, checked before anything starts."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from portal.config import Mode, Settings, SettingsError, known_settings, load_settings, shown

SECRET = "a-long-enough-secret-for-production-mode"
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def faults(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        load_settings(environ)
    return str(refusal.value).splitlines()


def test_a_secret_is_all_that_production_needs() -> None:
    """Everything else has a default."""
    settings = load_settings({"BERTH_SECRET_KEY": SECRET})

    assert settings.mode is Mode.PRODUCTION
    assert settings.secret_key == SECRET
    assert settings.database_url == f"sqlite:///{Path('var/berth.db').resolve()}"


def test_production_does_not_start_without_a_secret() -> None:
    """Secrets have no default in production mode."""
    assert faults({}) == ["BERTH_SECRET_KEY must be set to a random text of 32 characters or more."]


@pytest.mark.parametrize("secret", ["short", load_settings({"BERTH_MODE": "demo"}).secret_key])
def test_production_refuses_a_short_secret_and_the_open_one(secret: str) -> None:
    """A secret that everyone can read in the source is none."""
    assert faults({"BERTH_SECRET_KEY": secret}) == [
        "BERTH_SECRET_KEY must be set to a random text of 32 characters or more."
    ]


@pytest.mark.parametrize("mode", ["demo", "development", "test"])
def test_other_modes_start_without_any_setting(mode: str) -> None:
    """A newcomer's first start needs no settings."""
    assert load_settings({"BERTH_MODE": mode}).mode == mode


def test_only_the_test_mode_hashes_cheaply() -> None:
    """A test suite signs in hundreds of times; nothing else gets weak hashes by default."""
    costs = {mode: load_settings({"BERTH_MODE": mode}).password_memory_kib for mode in ("demo", "development", "test")}

    assert costs == {"demo": 65_536, "development": 65_536, "test": 64}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("BERTH_MODE", "prod", "BERTH_MODE must be one of production, demo, test, development."),
        ("BERTH_PORT", "0", "BERTH_PORT must be a whole number from 1 to 65,535."),
        ("BERTH_PORT", "eighty", "BERTH_PORT must be a whole number from 1 to 65,535."),
        ("BERTH_PORT", "-1", "BERTH_PORT must be a whole number from 1 to 65,535."),
        ("BERTH_HOST", " ", "BERTH_HOST must be a text that is not empty."),
        ("BERTH_DATABASE_URL", "mysql://x/y", "BERTH_DATABASE_URL must be a database address such as"),
        ("BERTH_DATABASE_URL", "berth.db", "BERTH_DATABASE_URL must be a database address such as"),
        ("BERTH_PUBLIC_URL", "berth.example.com", "BERTH_PUBLIC_URL must be a web address such as"),
        ("BERTH_NIGHTLY_RUN_AT", "26:00", "BERTH_NIGHTLY_RUN_AT must be a time of day in UTC, such as 02:30."),
        ("BERTH_SIGN_IN_LIMIT_ACCOUNT", "a few", "BERTH_SIGN_IN_LIMIT_ACCOUNT must be a limit such as"),
        ("BERTH_LOG_FORMAT", "xml", "BERTH_LOG_FORMAT must be one of text, json."),
        ("BERTH_TRUSTED_PROXIES", "9", "BERTH_TRUSTED_PROXIES must be a whole number from 0 to 5."),
        ("BERTH_SECRETKEY", "x", "There is no setting BERTH_SECRETKEY; docs/operations.md lists them all."),
    ],
)
def test_a_wrong_setting_is_told_in_a_sentence(name: str, value: str, sentence: str) -> None:
    """It names the setting and what it must be."""
    (said,) = faults({"BERTH_MODE": "demo", name: value})

    assert said.startswith(sentence)


def test_all_faults_are_told_at_once() -> None:
    """Nobody should have to start three times to hear of three faults."""
    said = faults({"BERTH_PORT": "x", "BERTH_NIGHTLY": "x", "BERTH_LOG_LEVEL": "loud"})

    assert [sentence.split(" ")[0] for sentence in said] == [
        "There",
        "BERTH_PORT",
        "BERTH_LOG_LEVEL",
        "BERTH_SECRET_KEY",
    ]


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    """The file wins over the defaults."""
    file = tmp_path / "berth.toml"
    file.write_text('mode = "demo"\nport = 9000\nhost = "192.0.2.7"\nnightly_run_at = 03:15:00\n')

    settings = load_settings({"BERTH_SETTINGS": str(file), "BERTH_PORT": "9001"})

    assert (settings.mode, settings.port, settings.host) == (Mode.DEMO, 9001, "192.0.2.7")
    assert settings.nightly_run_at == dt.time(3, 15)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"port 9000", "which is not a TOML file"), (b"\xff\xfe", "which is not a TOML file"), (None, "cannot be read")],
)
def test_a_broken_file_is_told_in_a_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    """Missing or not TOML."""
    file = tmp_path / "berth.toml"
    if content is not None:
        file.write_bytes(content)

    (said,) = faults({"BERTH_SETTINGS": str(file)})

    assert sentence in said


def test_an_unknown_key_of_the_file_is_refused(tmp_path: Path) -> None:
    """A slip of the pen must not be ignored."""
    file = tmp_path / "berth.toml"
    file.write_text("prot = 9000")

    assert faults({"BERTH_MODE": "demo", "BERTH_SETTINGS": str(file)})[0].startswith("There is no setting BERTH_PROT;")


def test_a_relative_sqlite_file_is_that_of_the_start() -> None:
    """Another process started elsewhere later must not find another database."""
    settings = load_settings({"BERTH_MODE": "demo", "BERTH_DATABASE_URL": "sqlite:///there/berth.db"})

    assert settings.database_url == f"sqlite:///{Path('there/berth.db').resolve()}"


def test_postgresql_is_spoken_to_with_psycopg() -> None:
    """Whatever the usual short form says."""
    settings = load_settings({"BERTH_MODE": "demo", "BERTH_DATABASE_URL": "postgresql://me:pass@db/berth"})

    assert settings.database_url == "postgresql+psycopg://me:pass@db/berth"


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    """Not in a log, not in a traceback."""
    settings = load_settings({"BERTH_SECRET_KEY": SECRET, "BERTH_DATABASE_URL": "postgresql://me:hidden@db/berth"})

    assert SECRET not in repr(settings)
    assert "hidden" not in repr(settings)


def test_a_wrong_setting_stops_the_start_without_a_traceback() -> None:
    """One sentence on the error stream, exit code 2."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BERTH_")}
    code = "from portal.app import create_app; create_app()"

    ended = subprocess.run(
        [sys.executable, "-c", code], env={**environ, "BERTH_PORT": "x"}, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "BERTH_PORT must be a whole number from 1 to 65,535.",
        "BERTH_SECRET_KEY must be set to a random text of 32 characters or more.",
    ]


def test_every_setting_is_documented() -> None:
    """The table of docs/operations.md has each setting once, in the order of the code, with its default."""
    rows = re.findall(r"^\| `(BERTH_\w+)` \| (.+?) \| (.+?) \|$", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE)
    defaults = load_settings({"BERTH_MODE": "demo"})

    assert [name for name, _, _ in rows] == [shown(name) for name in known_settings()]
    for name in (
        "port",
        "host",
        "session_lifetime_hours",
        "sign_in_limit_account",
        "password_memory_kib",
        "log_format",
    ):
        (default,) = (text for row, _, text in rows if row == shown(name))
        assert default.startswith(f"`{getattr(defaults, name)}`"), name


def test_every_setting_is_a_field() -> None:
    """`known_settings` reads them off the class, so none can be forgotten."""
    assert list(known_settings()) == list(Settings.__dataclass_fields__)
