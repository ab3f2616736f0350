"""What triggers of rows cost: the processor time of the same UPDATE with and without them.

Each variant is a table of its own with the same rows.  They are changed in turns, by one session, and
what its server process has worked meanwhile is what counts: see docs/bench.md.
"""

import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "isolation"))
from session import Session  # pylint: disable=wrong-import-position,import-error

BULK = 100000   # rows of one statement
SINGLE = 20000  # statements of one row each
ROUNDS = 5

PLPGSQL = """
CREATE FUNCTION count_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.version := OLD.version + 1;
	RETURN NEW;
END $$;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	NEW.updated_at := now();
	RETURN NEW;
END $$;
CREATE FUNCTION trash() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE plpgsql_soft SET deleted_at = now() WHERE id = OLD.id AND deleted_at IS NULL;
	RETURN NULL;
END $$;
CREATE FUNCTION keep_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	OLD.sys_period := tstzrange(lower(OLD.sys_period), now());
	INSERT INTO plpgsql_history_old SELECT OLD.*;
	NEW.sys_period := tstzrange(now(), NULL);
	RETURN NEW;
END $$"""

BEFORE = "CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"
COUNT = BEFORE.replace("{name}", "count_up").replace("{event}", "UPDATE")
STAMP = BEFORE.replace("{name}", "stamp").replace("{event}", "UPDATE")
TRASH = BEFORE.replace("{name}", "trash").replace("{event}", "DELETE")
VERSION = ("DROP TABLE IF EXISTS plpgsql_history_old; CREATE TABLE plpgsql_history_old (LIKE {table});"
           + BEFORE.replace("{name}", "keep_old").replace("{event}", "UPDATE"))
RULE = ("CREATE RULE soft AS ON DELETE TO {table} DO INSTEAD"
        " UPDATE {table} SET deleted_at = now() WHERE id = OLD.id AND deleted_at IS NULL")

# Extensions of others, where they are installed; they have no index upon old rows.
PERIODS = ("CREATE EXTENSION periods CASCADE; SELECT periods.add_system_time_period('{table}');"
           "SELECT periods.add_system_versioning('{table}')")
TABLE_LOG = ("CREATE EXTENSION table_log;"
             "SELECT table_log_init(3, 'public', '{table}', 'public', '{table}_history', 'SINGLE', true)")
PEERS = {"periods": "periods", "tablelog": "table_log"}

UPDATE = "UPDATE {table} SET a = a + 1"
DELETE = "DELETE FROM {table}"
MARK = "UPDATE {table} SET deleted_at = now() WHERE deleted_at IS NULL"

# Variant, what it is compared with, what makes it of a plain table, and the statement.
VARIANTS = (
    ("plain", None, "", UPDATE),
    ("version", "plain", "SELECT kints_version_enable('{table}')", UPDATE),
    ("checked", "plain", "SELECT kints_version_enable('{table}', mode => 'require')", UPDATE + ", version = version"),
    ("touched", "plain", "SELECT kints_version_enable('{table}', touch => 'updated_at')", UPDATE),
    ("touch", "plain", "SELECT kints_touch_enable('{table}')", UPDATE),
    ("inline", "plain", "", UPDATE + ", version = version + 1"),
    ("plpgsql", "plain", COUNT, UPDATE),
    ("plpgsql_touch", "plain", STAMP, UPDATE),
    ("history", "plain", "SELECT kints_history_enable('{table}', index => 'none')", UPDATE),
    ("history_btree", "plain", "SELECT kints_history_enable('{table}')", UPDATE),
    ("plpgsql_history", "plain", VERSION, UPDATE),
    ("periods", "plain", PERIODS, UPDATE),
    ("tablelog", "plain", TABLE_LOG, UPDATE),
    ("marked", None, "", MARK),
    ("soft", "marked", "SELECT kints_soft_delete_enable('{table}')", DELETE),
    ("rule_soft", "marked", RULE, DELETE),
    ("plpgsql_soft", "marked", TRASH, DELETE),
)

# Variant, and the most that it may cost: in bulk, and of a single row.
GOALS = {"version": (1.2, 1.05), "soft": (1.0, 1.0), "history": (1.4, 1.5)}


# What tables without any of it cost where the library is loaded, and how many transactions tell it.
UNTOUCHED = (("select", ["-S"], 40000), ("tpcb", [], 12000))
UNTOUCHED_MOST = 1.01


class Place:
    def __init__(self, environment):
        self.environment = environment


class Bench:
    def __init__(self, environment):
        self.session = Session(Place(environment), "postgres", "synchronous_commit = off")
        self.session.ask("CREATE EXTENSION IF NOT EXISTS kints_norm")
        self.session.ask(PLPGSQL)
        there = self.session.ask("SELECT name FROM pg_available_extensions")
        self.variants = [variant for variant in VARIANTS if PEERS.get(variant[0], "kints_norm") in there]

    def worked(self):
        """Nanoseconds that the server process has been on a processor."""
        with open(f"/proc/{self.session.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0])

    def make(self):
        """All tables anew, for what an UPDATE leaves behind makes the next one slower."""
        for peer in PEERS.values():
            self.session.ask(f"DROP EXTENSION IF EXISTS {peer} CASCADE")
        for variant, _, enable, _ in self.variants:
            self.session.ask(
                f"DROP TABLE IF EXISTS {variant}, {variant}_history CASCADE;"
                f"CREATE TABLE {variant} (id int PRIMARY KEY, a int, note text, amount numeric(12,2),"
                f" version int NOT NULL DEFAULT 1, updated_at timestamptz, deleted_at timestamptz,"
                f" sys_period tstzrange NOT NULL DEFAULT tstzrange('2020-01-01', NULL))"
                f" WITH (autovacuum_enabled = off);"
                f"INSERT INTO {variant} SELECT i, i, 'note ' || i, i, 1, now() FROM generate_series(1, {BULK}) AS i;"
                f"VACUUM ANALYZE {variant};" + enable.format(table=variant))

    def time(self, sql):
        before = self.worked()
        self.session.ask(sql)
        return self.worked() - before

    def round(self, turn):
        """Nanoseconds of each variant, in bulk and of a single row."""
        bulk = {}
        single = {}
        first = turn % len(self.variants)
        order = self.variants[first:] + self.variants[:first]
        self.make()
        for variant, _, _, statement in order:
            sql = statement.format(table=variant)
            self.session.ask(f"PREPARE one (int) AS {sql} {'AND' if 'WHERE' in sql else 'WHERE'} id = $1")
            self.session.ask("EXECUTE one(1);\n" * 10)
            single[variant] = self.time("".join(f"EXECUTE one({i});\n" for i in range(2, SINGLE + 2)))
            self.session.ask("DEALLOCATE one")
        self.make()
        for variant, _, _, statement in order:
            bulk[variant] = self.time(statement.format(table=variant))
        return bulk, single


def measure(environment):
    """(name, value, most) of each figure."""
    bench = Bench(environment)
    rounds = []
    for turn in range(ROUNDS):
        print(f"triggers: round {turn + 1} of {ROUNDS}", file=sys.stderr)
        rounds.append(bench.round(turn))
    bench.session.close()
    for kind, word in enumerate(("bulk", "single")):
        for variant, base, _, _ in bench.variants:
            if base is not None:
                ratio = statistics.median(times[kind][variant] / times[kind][base] for times in rounds)
                yield f"triggers.{variant}.{word}", ratio, GOALS.get(variant, (None, None))[kind]
    for name, ratios in untouched(environment).items():
        yield f"triggers.untouched.{name}", statistics.median(ratios), UNTOUCHED_MOST


def untouched(environment):
    """Processor time of pgbench's sessions with the library loaded over that without, some of each."""
    def run(*words, loaded=False):
        options = "-c synchronous_commit=off" + (" -c session_preload_libraries=kints_norm" if loaded else "")
        subprocess.run(["pgbench", "-n", *words], env={**environment, "PGOPTIONS": options}, check=True, capture_output=True)

    def ended(postmaster):
        """Ticks that the sessions have worked that are over."""
        with open(f"/proc/{postmaster}/stat", encoding="ascii") as file:
            return sum(int(field) for field in file.read().rpartition(")")[2].split()[13:15])

    def children(postmaster):
        with open(f"/proc/{postmaster}/task/{postmaster}/children", encoding="ascii") as file:
            return set(file.read().split())

    def worked(postmaster, words, count, loaded):
        before = ended(postmaster)
        there = children(postmaster)
        run(*words, "-M", "prepared", "-c", "1", "-t", str(count), loaded=loaded)
        # A session ends after its client, and counts from then on.
        while not children(postmaster) <= there:
            time.sleep(0.01)
        return ended(postmaster) - before

    session = Session(Place(environment))
    session.ask("ALTER SYSTEM SET autovacuum = off")
    session.ask("SELECT pg_reload_conf()")
    with open(f"/proc/{session.pid}/stat", encoding="ascii") as file:
        postmaster = file.read().rpartition(")")[2].split()[1]
    session.close()
    run("-i", "-q", "-s", "5")
    ratios = {}
    for turn in range(ROUNDS):
        print(f"untouched: round {turn + 1} of {ROUNDS}", file=sys.stderr)
        for name, words, count in UNTOUCHED:
            # Each way first in turn, and each side twice, so that what grows does so for both.
            sides = [turn % 2 == 0, turn % 2 == 1, turn % 2 == 1, turn % 2 == 0]
            times = {True: 0, False: 0}
            for loaded in sides:
                times[loaded] += worked(postmaster, words, count, loaded)
            ratios.setdefault(name, []).append(times[True] / times[False])
    return ratios
