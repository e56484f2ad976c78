"""Rules that the database keeps by triggers or exclusion. Applied migrations read this file: add to it, never edit it.

SQLite refuses with an integrity error that carries the rule's name, PostgreSQL with one of the rule's name.
"""

from __future__ import annotations

from alembic import op

GPUS_PER_RACK = 72


def forbid_overlap(table: str, owner: str) -> None:
    """Intervals ``[start, end)`` of one owner never share a day."""
    name = f"ex_{table}_overlap"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_exclusion(table, owner, name))
        return
    refuse = f"""
        SELECT RAISE(ABORT, '{name}') WHERE EXISTS (
            SELECT 1 FROM {table} AS other
            WHERE other.{owner} = NEW.{owner} AND other.id <> NEW.id
              AND other.start < NEW."end" AND other."end" > NEW.start)"""  # noqa: S608  # names from this repository
    _sqlite_triggers(table, name, refuse, columns=f'{owner}, start, "end"')


def forbid_double_racks() -> None:
    """R1: two whole racks of blocks never meet on a rack, and no more than 72 GPUs of it are used on a day."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_exclusion("placements", "rack_id", "ex_placements_whole_racks", f"WHERE (gpus = {GPUS_PER_RACK})"))
        op.execute(_POSTGRESQL_RACK_FUNCTION)
        op.execute(_POSTGRESQL_RACK_TRIGGER)
        return
    _sqlite_triggers(
        "placements", "ck_placements_rack_gpus", _SQLITE_RACK_REFUSAL, columns='rack_id, start, "end", gpus'
    )


def forbid_changes(table: str) -> None:
    """Rows of the table are only ever added."""
    name = f"ck_{table}_append_only"
    if op.get_bind().dialect.name == "postgresql":
        op.execute(_POSTGRESQL_APPEND_ONLY.format(name=name))
        op.execute(
            f"CREATE TRIGGER {name} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )
        return
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {name}_{event.lower()} BEFORE {event} ON {table} BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )


def drop_function(name: str) -> None:
    """Drop a trigger's function, which outlives its table on PostgreSQL."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {name}()")


def _exclusion(table: str, owner: str, name: str, where: str = "") -> str:
    # No btree_gist in every PostgreSQL: an owner's id becomes a range of one number.
    return (
        f"ALTER TABLE {table} ADD CONSTRAINT {name} EXCLUDE USING gist "
        f"(int8range({owner}, {owner}, '[]') WITH &&, daterange(start, \"end\") WITH &&) {where}"
    )


def _sqlite_triggers(table: str, name: str, refuse: str, *, columns: str) -> None:
    op.execute(f"CREATE TRIGGER {name}_insert AFTER INSERT ON {table} BEGIN {refuse}; END")
    op.execute(f"CREATE TRIGGER {name}_update AFTER UPDATE OF {columns} ON {table} BEGIN {refuse}; END")


# The use of a rack over an interval is greatest on the interval's first day or on a day on which another placement
# starts: only these are counted. The new row is in the table already.
_SQLITE_RACK_REFUSAL = f"""
    SELECT RAISE(ABORT, 'ck_placements_rack_gpus') WHERE EXISTS (
        SELECT 1 FROM placements AS peak
        WHERE peak.rack_id = NEW.rack_id AND peak.start < NEW."end" AND peak."end" > NEW.start
          AND (SELECT sum(used.gpus) FROM placements AS used
               WHERE used.rack_id = NEW.rack_id AND used.start <= max(peak.start, NEW.start)
                 AND used."end" > max(peak.start, NEW.start)) > {GPUS_PER_RACK})"""  # noqa: S608  # constants

# The lock on the rack makes two transactions that add to one rack wait for each other, so that each sees both rows.
_POSTGRESQL_RACK_FUNCTION = f"""
    CREATE FUNCTION ck_placements_rack_gpus() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM 1 FROM racks WHERE id = NEW.rack_id FOR NO KEY UPDATE;
        IF EXISTS (
            SELECT 1 FROM placements AS peak
            WHERE peak.rack_id = NEW.rack_id AND peak.start < NEW."end" AND peak."end" > NEW.start
              AND (SELECT sum(used.gpus) FROM placements AS used
                   WHERE used.rack_id = NEW.rack_id AND used.start <= greatest(peak.start, NEW.start)
                     AND used."end" > greatest(peak.start, NEW.start)) > {GPUS_PER_RACK})
        THEN
            RAISE EXCEPTION 'more than {GPUS_PER_RACK} GPUs on rack %', NEW.rack_id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_placements_rack_gpus', TABLE = 'placements';
        END IF;
        RETURN NULL;
    END $$"""  # noqa: S608  # constants

_POSTGRESQL_RACK_TRIGGER = """
    CREATE TRIGGER ck_placements_rack_gpus AFTER INSERT OR UPDATE OF rack_id, start, "end", gpus ON placements
    FOR EACH ROW EXECUTE FUNCTION ck_placements_rack_gpus()"""

_POSTGRESQL_APPEND_ONLY = """
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME
            USING ERRCODE = 'check_violation', CONSTRAINT = '{name}', TABLE = TG_TABLE_NAME;
    END $$"""
