"""rows.py - the rows of a database: seeding them, reading them, and what a migration did to them.

A table survives when both states have a plain table of its name; a column
survives when both have it with the same type and it is not generated.  The
rows of a surviving table, cut down to the surviving columns, must be the same
before and after.
"""
import collections
import json
import pathlib

from server import psql

SEED = (pathlib.Path(__file__).parent / "seed.sql").read_text(encoding="utf-8")

# One line a table: its name, its columns with their types (a composite type's attributes
# spelled out), and the rows as lists of text.
READ = r"""
SET search_path = pg_catalog;
SET client_min_messages = error;
SELECT format('SELECT json_build_object(''table'', %L, ''types'', %L::json, ''rows'','
              ' (SELECT coalesce(json_agg(to_json(ARRAY[%s]::text[])), ''[]'') FROM ONLY %s))',
              c.oid::regclass, coalesce(a.types, '{}'), a.names, c.oid::regclass)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace,
       LATERAL (SELECT string_agg(quote_ident(a.attname) || '::text', ', ' ORDER BY a.attnum) AS names,
                       json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod) || coalesce(k.attributes, '')
                                       ORDER BY a.attnum) AS types
                  FROM pg_attribute a
                  JOIN pg_type t ON t.oid = a.atttypid
                  LEFT JOIN pg_type e ON e.oid = t.typelem AND t.typcategory = 'A',
                       LATERAL (SELECT string_agg(m.attname || format_type(m.atttypid, m.atttypmod), ',' ORDER BY m.attnum) AS attributes
                                  FROM pg_attribute m
                                 WHERE m.attrelid IN (t.typrelid, e.typrelid) AND m.attnum > 0 AND NOT m.attisdropped) k
                 WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '') a
 WHERE c.relkind = 'r' AND n.nspname NOT IN ('information_schema', 'kints') AND n.nspname NOT LIKE 'pg\_%'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 ORDER BY n.nspname, c.relname
\gexec
SELECT format('SELECT json_build_object(''sequence'', %L, ''value'', last_value::text || is_called) FROM %s',
              c.oid::regclass, c.oid::regclass)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND n.nspname NOT IN ('information_schema', 'kints') AND n.nspname NOT LIKE 'pg\_%'
 ORDER BY n.nspname, c.relname
\gexec
"""


class Rows:
    """What a database holds: tables[name] = (types by column, rows), sequences[name] = state.

    It is made of what READ prints.
    """

    def __init__(self, lines):
        self.tables = {}
        self.sequences = {}
        for line in lines:
            item = json.loads(line)
            if "sequence" in item:
                self.sequences[item["sequence"]] = item["value"]
            else:
                self.tables[item["table"]] = (item["types"], item["rows"])

    def count(self):
        return sum(len(found) for _, found in self.tables.values())


def seed(database):
    """Seeds a database and gives what it holds then."""
    return Rows(psql(database, SEED + READ))


def empty(database, tables):
    """Takes the rows out of some tables, and out of those that refer to them."""
    return Rows(psql(database, "".join(f"TRUNCATE {name} CASCADE;\n" for name in tables) + READ))


def losses(before, after):
    """What happened to the rows of surviving tables that must not happen, a line each."""
    found = []
    for table in sorted(set(before.tables) & set(after.tables)):
        old_types, old_rows = before.tables[table]
        new_types, new_rows = after.tables[table]
        if len(old_rows) != len(new_rows):
            found.append(f"rows lost: {table} had {len(old_rows)} rows and has {len(new_rows)}")
            continue
        columns = [name for name in old_types if new_types.get(name) == old_types[name]]
        if tuples(old_types, old_rows, columns) != tuples(new_types, new_rows, columns):
            found.append(f"content changed: {table} ({', '.join(columns)})")
    return found


def tuples(types, found, columns):
    places = [list(types).index(name) for name in columns]
    return collections.Counter(tuple(row[place] for place in places) for row in found)


def restarts(before, after):
    """Sequences of the same name whose position is another: no lost row, but worth a line."""
    return [f"sequence {name} stood at {value} and stands at {after.sequences[name]}"
            for name, value in sorted(before.sequences.items())
            if after.sequences.get(name, value) != value]
