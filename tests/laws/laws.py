"""laws.py - what must hold for every pair of schemas A and B, checked on a server.

  same       a plan from A to A, and from B to B, is empty
  text       two calls give the same plan, byte for byte
  apply      after the plan to B was applied, a plan to B is empty, and the
             fingerprint is that of a database loaded with B
  undo       from there, the undo texts of the plan's steps, run from the last
             to the first, lead back to A's fingerprint
  rollback   after it was rolled back, the fingerprint is that of A again
  empty      the plan from nothing to A, loaded by psql into an empty database,
             gives A's fingerprint
  load       A and B load: with generated schemas, a test of the generator

A law that cannot be looked at because another failed before is "not reached".

A migration may refuse rows for good reasons: a new column is NOT NULL, a type
does not hold the value.  When apply, undo or rollback fails with an error about
data, the rows are taken out of the table that the server blames, or out of all
where it blames none, and it is called again.
"""
import dataclasses
import json
import re

import rows
from server import SqlError, psql, quote_text, wait_until_up

LAWS = ("load", "same", "text", "apply", "undo", "rollback", "empty")
STATEMENT_TIMEOUT = "60s"
STEPS = "SELECT pg_catalog.to_json(pg_catalog.concat_ws(' ', kind, object) || ': ' || coalesce(sql, '')) FROM {};"
REFUSALS = 8     # tables emptied one by one before all are
TRUNCATE_ALL = r"""
SELECT format('TRUNCATE %s CASCADE', string_agg(oid::regclass::text, ', ')) FROM pg_catalog.pg_class
 WHERE relkind = 'r' AND relnamespace::regnamespace::text NOT LIKE ALL ('{pg\\_%,kints,information\\_schema}') HAVING count(*) > 0
\gexec
"""


def is_of_rows(error):
    """Did a value stand in the way?  What reads a tsvector calls that a syntax error."""
    return bool(re.match("2[23]", error.sqlstate)) or (
        error.sqlstate == "42601" and re.search(r"\bin ts(vector|query)", str(error)) is not None
    )


@dataclasses.dataclass
class Pair:
    name: str
    a: str
    b: str
    renames: dict = dataclasses.field(default_factory=dict)    # for the option of that name
    done: list = dataclasses.field(default_factory=list)       # what was done to A to get B
    seed: str = rows.SEED


@dataclasses.dataclass
class Result:
    pair: Pair
    broken: dict = dataclasses.field(default_factory=dict)     # law -> what is wrong
    held: set = dataclasses.field(default_factory=set)
    plan: str = ""                                             # as a person reads it
    steps: int = 0                                             # that kints_apply ran
    refused: list = dataclasses.field(default_factory=list)    # errors about data that emptied tables

    def conclude(self):
        """Every law that was not found out is a broken one."""
        for law in LAWS:
            if law not in self.held:
                self.broken.setdefault(law, "not reached")
        return self


class Broken(Exception):
    """A law does not hold."""


class Examination:
    """One pair: each law's method says by an exception that it does not hold."""

    def __init__(self, server, pair):
        self.server = server
        self.result = Result(pair)
        self.pair = pair
        self.options = {"allow": "all", "schemas": "*", **({"renames": pair.renames} if pair.renames else {})}
        self.databases = []
        self.a = self.b = None                  # databases loaded with A and B
        self.of_a = self.of_b = None            # their fingerprints
        self.before = None                      # the snapshot of A
        self.planned = []                       # the steps from A to B

    def run(self):
        law = None
        try:
            for law in LAWS:
                if self.may_follow(law):
                    self.check(law)
        except SqlError as error:
            self.result.broken[law] = str(error)
            wait_until_up()
        self.server.drop(*self.databases)
        return self.result.conclude()

    def may_follow(self, law):
        needed = {"load": (), "undo": ("load", "apply"), "rollback": ("load", "apply")}.get(law, ("load",))
        return all(other in self.result.held for other in needed) or (law == "rollback" and self.result.steps)

    def check(self, law):
        try:
            getattr(self, "law_" + law)()
            self.result.held.add(law)
        except Broken as broken:
            self.result.broken[law] = str(broken)
        except SqlError as error:
            if error.is_lost:
                raise
            self.result.broken[law] = str(error)

    # The laws.

    def law_load(self):
        self.a, self.b = self.databases = self.server.create("a", "b")
        for name, database, text in (("A", self.a, self.pair.a), ("B", self.b, self.pair.b)):
            try:
                psql(database, text)
            except SqlError as error:
                if error.is_lost:
                    raise
                raise Broken(f"{name} does not load: {error}") from None
        self.of_a, self.of_b = fingerprint(self.a), fingerprint(self.b)
        self.before = psql(self.a, "SELECT kints.kints_snapshot();")[0]
        psql(self.a, self.pair.seed)

    def law_same(self):
        for name, database, text in (("A", self.a, self.pair.a), ("B", self.b, self.pair.b)):
            expect_empty(database, text, f"from {name} to itself")

    def law_text(self):
        first, second = (format_plan(self.a, self.pair.b, "text", self.options) for _ in range(2))
        self.result.plan = first
        if first != second:
            raise Broken("\n".join(["two plans differ:"] + first_difference(first, second)))

    def law_apply(self):
        self.planned = json.loads(format_plan(self.a, self.pair.b, "json", self.options))["steps"]
        self.result.steps = len(self.migrate(
            f"SELECT step FROM kints.kints_apply({quote_text(self.pair.b)}::text, {as_jsonb(self.options)});"))
        expect_empty(self.a, self.pair.b, "after apply", self.options)
        if fingerprint(self.a) != self.of_b:
            raise Broken("the second plan is empty, but the fingerprint is not that of B")

    def law_undo(self):
        back, after = self.undo()[-2:]
        if back != self.of_a[0]:
            steps = psql(self.a, STEPS.format(f"kints.kints_diff({quote_text(after)}, {quote_text(self.before)})"))
            raise Broken("\n".join([f"{len(steps)} steps after undo:"] + [json.loads(step) for step in steps[:12]]))

    def law_rollback(self):
        if self.result.steps:
            self.migrate("SELECT step FROM kints.kints_rollback(1, '{\"allow\": \"all\"}');")
        if fingerprint(self.a) != self.of_a:
            expect_empty(self.a, self.pair.a, "after rollback")
            raise Broken("a plan back to A is empty, but the fingerprint is not that of A")

    def law_empty(self):
        (database,) = self.server.create("c")
        self.databases.append(database)
        plan = format_plan(database, self.pair.a, "sql", {"schemas": "*"})
        psql(database, plan)
        if fingerprint(database) != self.of_a:
            expect_empty(database, self.pair.a, "after the plan from nothing was loaded")
            raise Broken("a plan from nothing gives another fingerprint, but no other plan")

    def migrate(self, script):
        """What a script prints, with fewer rows each time that rows stand in its way."""
        while True:
            try:
                return psql(self.a, f"SET statement_timeout = '{STATEMENT_TIMEOUT}';\n{script}")
            except SqlError as error:
                if not is_of_rows(error) or len(self.result.refused) > REFUSALS:
                    raise
                self.result.refused.append(str(error))
                self.empty(error.table if len(self.result.refused) < REFUSALS else None)

    def undo(self):
        """The fingerprint and the snapshot that the undo leads to.  Nothing of it stays."""
        undos = "".join(step["undo"] + ";\n" for step in reversed(self.planned) if step["undo"])
        script = f"SET LOCAL check_function_bodies = off;\n{undos}SELECT kints.kints_fingerprint();\nSELECT kints.kints_snapshot();\nROLLBACK;\n"
        try:
            return psql(self.a, "BEGIN;\n" + script)
        except SqlError as error:
            if not is_of_rows(error):
                raise
            self.result.refused.append(str(error))
            return psql(self.a, "BEGIN;\n" + TRUNCATE_ALL + script)

    def empty(self, table):
        """A table, or all: also where the blamed one exists only while the plan runs."""
        if table:
            try:
                if psql(self.a, f"SELECT FROM ONLY {table} LIMIT 1;"):
                    psql(self.a, f"TRUNCATE {table} CASCADE;")
                    return
            except SqlError as error:
                if error.is_lost:
                    raise
        psql(self.a, TRUNCATE_ALL)


def fingerprint(database):
    return psql(database, "SELECT kints.kints_fingerprint();")


def as_jsonb(options):
    return quote_text(json.dumps(options, ensure_ascii=False)) + "::jsonb"


def format_plan(database, desired, how, options):
    lines = psql(database, f"SET statement_timeout = '{STATEMENT_TIMEOUT}';\n"
                           f"SELECT kints.kints_plan_format({quote_text(desired)}::text, '{how}', {as_jsonb(options)});")
    return "\n".join(lines) + "\n"


def expect_empty(database, desired, when, options=None):
    """The plan to what is there has no steps, nor is anything reported."""
    script = (f"SET statement_timeout = '{STATEMENT_TIMEOUT}';\n"
              + STEPS.format(f"kints.kints_plan({quote_text(desired)}::text, {as_jsonb(options or {'schemas': '*'})})"))
    steps = [json.loads(line) for line in psql(database, script)]
    if steps:
        raise Broken("\n".join([f"{len(steps)} steps {when}:"] + steps[:12]))


def first_difference(first, second):
    ours, theirs = first.split("\n"), second.split("\n")
    place = next((i for i, both in enumerate(zip(ours, theirs)) if both[0] != both[1]), min(len(ours), len(theirs)))
    return [f"line {place + 1}", *ours[place:place + 2], "--", *theirs[place:place + 2]]
