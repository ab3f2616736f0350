"""What triggers of rows cost: the processor time of the same UPDATE with and without them.

Each variant is a table of its own with the same rows.  They are changed in turns, by one session, and
what its server process has worked meanwhile is what counts: see docs/bench.md.
"""

import os
import statistics
import sys

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
END $$"""

BEFORE = "CREATE TRIGGER {name} BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()"

# Variant, what makes it of a plain table, and what its UPDATE sets besides.
VARIANTS = (
    ("plain", "", ""),
    ("version", "SELECT kints_version_enable('{table}')", ""),
    ("checked", "SELECT kints_version_enable('{table}', mode => 'require')", ", version = version"),
    ("touched", "SELECT kints_version_enable('{table}', touch => 'updated_at')", ""),
    ("touch", "SELECT kints_touch_enable('{table}')", ""),
    ("inline", "", ", version = version + 1"),
    ("plpgsql", BEFORE.replace("{name}", "count_up"), ""),
    ("plpgsql_touch", BEFORE.replace("{name}", "stamp"), ""),
)

# Variant, and the most that it may cost: in bulk, and of a single row.
GOALS = {"version": (1.2, 1.05)}


class Place:
    def __init__(self, environment):
        self.environment = environment


class Bench:
    def __init__(self, environment):
        self.session = Session(Place(environment), "postgres", "synchronous_commit = off")
        self.session.ask("CREATE EXTENSION IF NOT EXISTS kints_norm")
        self.session.ask(PLPGSQL)

    def worked(self):
        """Nanoseconds that the server process has been on a processor."""
        with open(f"/proc/{self.session.pid}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0])

    def make(self):
        """All tables anew, for what an UPDATE leaves behind makes the next one slower."""
        for variant, enable, _ in VARIANTS:
            self.session.ask(
                f"DROP TABLE IF EXISTS {variant};"
                f"CREATE TABLE {variant} (id int PRIMARY KEY, a int, note text, amount numeric(12,2),"
                f" version int NOT NULL DEFAULT 1, updated_at timestamptz) WITH (autovacuum_enabled = off);"
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
        order = VARIANTS[turn % len(VARIANTS):] + VARIANTS[:turn % len(VARIANTS)]
        self.make()
        for variant, _, sets in order:
            statement = f"UPDATE {variant} SET a = a + 1{sets}"
            self.session.ask(f"PREPARE one (int) AS {statement} WHERE id = $1")
            self.session.ask("EXECUTE one(1);\n" * 10)
            single[variant] = self.time("".join(f"EXECUTE one({i});\n" for i in range(1, SINGLE + 1)))
            self.session.ask("DEALLOCATE one")
        self.make()
        for variant, _, sets in order:
            bulk[variant] = self.time(f"UPDATE {variant} SET a = a + 1{sets}")
        return bulk, single


def measure(environment):
    """(name, value, most) of each figure."""
    bench = Bench(environment)
    rounds = []
    for turn in range(ROUNDS):
        print(f"rows: round {turn + 1} of {ROUNDS}", file=sys.stderr)
        rounds.append(bench.round(turn))
    bench.session.close()
    for kind, word in enumerate(("bulk", "single")):
        for variant, _, _ in VARIANTS[1:]:
            ratio = statistics.median(times[kind][variant] / times[kind]["plain"] for times in rounds)
            yield f"rows.{variant}.{word}", ratio, GOALS.get(variant, (None, None))[kind]
