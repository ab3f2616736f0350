"""judge.py - one pair on the server: what there is to know before a verdict.

A pair's old state is loaded into a copy of the template and seeded, the plan
to the new state is asked for and applied, asked for again, and the schema and
the rows are read.

A migration may refuse rows for good reasons: a new column is NOT NULL, a type
does not hold the value.  When apply fails with an error about data, the rows
are taken out of the table that the server blames, or out of all where it blames
none, and apply is called again; the evidence says so.
"""
import dataclasses
import json
import re
import time

import pairs
import rows
from server import SqlError, psql, quote_text, wait_until_up

OPTIONS = '{"allow": "all", "schemas": "*"}'
STATEMENT_TIMEOUT = "30s"
REFUSALS = 8     # tables emptied one by one before all are


@dataclasses.dataclass
class Evidence:
    """What happened to a pair.  A stage that was not reached leaves its fields as they are."""
    pair: pairs.Pair
    stage: str = "load old"   # the last one begun
    error: SqlError = None    # what ended it
    plan: list = dataclasses.field(default_factory=list)       # rows of kints_plan, as dicts
    applied: int = 0                                           # steps kints_apply ran
    refused: list = dataclasses.field(default_factory=list)    # errors about data that emptied tables
    second: list = dataclasses.field(default_factory=list)     # rows of the second kints_plan
    before: rows.Rows = None
    after: rows.Rows = None
    facts: dict = None        # the schema after apply
    expected: dict = None     # the schema it should be
    seconds: float = 0.0
    database: str = ""
    is_kept: bool = False     # the database is still there

    @property
    def is_lost(self):
        return self.error is not None and self.error.is_lost

    @property
    def restarts(self):
        return rows.restarts(self.before, self.after) if self.after else []


class Judge:
    def __init__(self, server, oracle, selected, expected):
        self.server = server
        self.oracle = oracle
        self.expected = expected
        self.olds = {pair.loaded("old") for pair in selected}
        self.news = {pair.loaded("new") for pair in selected}

    def examine(self, pair):
        """The evidence of a pair, all but .expected; its database is gone then, unless kept."""
        evidence = Evidence(pair, is_kept=self.server.keep)
        start = time.monotonic()
        try:
            self.migrate(evidence)
        except SqlError as error:
            evidence.error = error
        evidence.seconds = time.monotonic() - start
        if evidence.is_lost:
            wait_until_up()
        self.server.drop(*filter(None, [evidence.database]))
        return evidence

    def migrate(self, evidence):
        pair = evidence.pair
        (evidence.database,) = self.server.create("a")
        psql(evidence.database, pair.loaded("old"))
        if pair.loaded("old") in self.news:
            self.expected.remember(pair.loaded("old"), evidence.database)
        if pair.loaded("new") not in self.olds:
            evidence.stage = "load new"
            self.expected.load(pair.loaded("new"))
        evidence.stage = "seed"
        evidence.before = rows.seed(evidence.database)
        self.apply(evidence)
        evidence.stage = "second plan"
        lines = psql(evidence.database, call("kints_plan", desired(pair, self.oracle)) + "\\echo\n" + rows.READ)
        end = lines.index("")
        evidence.second = [json.loads(line) for line in lines[:end]]
        evidence.after = rows.Rows(lines[end + 1:])
        evidence.stage = "dump"
        evidence.facts = self.expected.read(evidence.database)
        evidence.stage = "done"

    def apply(self, evidence):
        """Plans and applies, with fewer rows each time that rows stand in the way."""
        text = desired(evidence.pair, self.oracle)
        script = call("kints_plan", text) + "\\echo\n" + call("kints_apply", text)
        while True:
            evidence.stage = "plan"
            try:
                lines = psql(evidence.database, script)
                error = None
            except SqlError as caught:
                lines, error = caught.lines, caught
            if "" in lines:
                evidence.stage = "apply"
                end = lines.index("")
                evidence.plan = [json.loads(line) for line in lines[:end]]
                evidence.applied = len(lines) - end - 1
            if error is None:
                return
            tables = self.standing_in_the_way(evidence, error)
            if not tables:
                raise error
            evidence.refused.append(str(error))
            evidence.before = rows.empty(evidence.database, tables)

    @staticmethod
    def standing_in_the_way(evidence, error):
        """The tables to empty before apply can do what it refused for their rows, or none."""
        filled = [name for name, (_, found) in evidence.before.tables.items() if found]
        if evidence.stage != "apply" or not re.match("2[23]", error.sqlstate):
            return []
        blamed = [name for name in filled if error.table and unquoted(name) == unquoted(error.table)]
        return blamed if blamed and len(evidence.refused) < REFUSALS else filled


def desired(pair, oracle):
    return pairs.without_data(pair.loaded("new"), oracle)


def call(function, text):
    return (f"SET statement_timeout = '{STATEMENT_TIMEOUT}';\n"
            f"SELECT pg_catalog.to_json(r) FROM kints.{function}({quote_text(text)}::text, '{OPTIONS}'::jsonb) r;\n")


def unquoted(name):
    return name.replace('"', "").removeprefix("public.")
