"""The `berth` command: our own commands beside Flask's. Each lives in `portal.commands` and is loaded when used."""

from __future__ import annotations

from importlib import import_module
from typing import cast

import click
from flask.cli import FlaskGroup

from portal.app import create_app

COMMANDS = {
    "db": "portal.commands.database:database",
    "demo": "portal.commands.demo:demo",
    "demo-day": "portal.commands.demo_day:demo_day",
    "import": "portal.commands.landlord:import_file",
    "serve": "portal.commands.serve:serve",
    "solve": "portal.commands.runs:solve",
    "user": "portal.commands.users:user",
    "worker": "portal.commands.runs:worker",
}
"""Where each command is, as ``module:name``."""


class BerthGroup(FlaskGroup):
    """Knows every command without starting the application, so that help works whatever the settings are."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*COMMANDS, *self.commands})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return self.commands.get(cmd_name)
        module, name = COMMANDS[cmd_name].split(":")
        return cast(click.Command, getattr(import_module(module), name))


main = BerthGroup(
    name="berth",
    help="The reservation desk of a GPU landlord.",
    create_app=create_app,
    add_version_option=False,
    load_dotenv=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
