"""What Alembic runs. ``portal.models.migrate`` hands over the connection; there is no configuration file."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
