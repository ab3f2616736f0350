"""judge.py - one pair on the server: what there is to know before a verdict.

A pair's old state is loaded into a copy of the template and seeded, the plan
to the new state is asked for and applied, asked for again, and the schema and
the rows are read.  The expected schema of a text is that of a database loaded
with it; most texts are the old state of one pair and the new state of another,
and are then loaded once for both.

A migration may refuse rows for good reasons: a new column is NOT NULL, a type
does not hold the value.  When apply fails with an error about data, the rows
are taken out of the table that the server blames, or out of all where it blames
none, and apply is called again; the evidence says so.
"""
import dataclasses
import json
import re
import threading
import time

import pairs
import rows
from server import BYSTANDER, SqlError, psql, quote_text, wait_until_up

OPTIONS = '{"allow": "all", "schemas": "*"}'
STATEMENT_TIMEOUT = "30s"
REFUSALS = 8     # tables emptied one by one before all are
RERUNS = 4       # of a pair that another pair's crash has disturbed


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
    def restarts(self):
        return rows.restarts(self.before, self.after) if self.after else []


class Judge:
    def __init__(self, server, oracle, selected):
        self.server = server
        self.oracle = oracle
        self.olds = {pair.loaded("old") for pair in selected}
        self.news = {pair.loaded("new") for pair in selected}
        self.known = {}       # text -> facts, or the SqlError of loading it
        self.lock = threading.Lock()

    def examine(self, pair):
        """The evidence of a pair, all but .expected; its database is gone unless kept."""
        for attempt in range(RERUNS + 1):
            evidence = Evidence(pair, is_kept=self.server.keep)
            start = time.monotonic()
            try:
                self.migrate(evidence)
            except SqlError as error:
                evidence.error = error
            evidence.seconds = time.monotonic() - start
            if evidence.error and evidence.error.is_lost:
                wait_until_up()
            self.server.drop(*filter(None, [evidence.database]))
            if not (evidence.error and evidence.error.is_bystander) or attempt == RERUNS:
                return evidence

    def migrate(self, evidence):
        pair = evidence.pair
        (evidence.database,) = self.server.create("a")
        psql(evidence.database, pair.loaded("old"))
        if pair.loaded("old") in self.news:
            self.remember(pair.loaded("old"), evidence.database)
        if pair.loaded("new") not in self.olds:
            evidence.stage = "load new"
            self.load_expected(pair.loaded("new"))
        evidence.stage = "seed"
        evidence.before = rows.seed(evidence.database)
        self.apply(evidence)
        evidence.stage = "second plan"
        lines = psql(evidence.database, call("kints_plan", desired(pair, self.oracle)) + "\\echo\n" + rows.READ)
        end = lines.index("")
        evidence.second = [json.loads(line) for line in lines[:end]]
        evidence.after = rows.Rows(lines[end + 1:])
        evidence.stage = "dump"
        evidence.facts = self.read_facts(evidence.database)
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

    def expected(self, text):
        """The facts of a database loaded with a text, or the SqlError of loading it."""
        if text not in self.known:
            try:
                self.load_expected(text)
            except SqlError as error:
                return error
        return self.known[text]

    def remember(self, text, database):
        with self.lock:
            if text in self.known:
                return
        found = self.read_facts(database)
        with self.lock:
            self.known[text] = found

    def load_expected(self, text):
        """Loads a text for nothing but its facts."""
        with self.lock:
            if text in self.known:
                return
        (database,) = self.server.create("b")
        try:
            psql(database, text)
            found = self.read_facts(database)
        except SqlError as error:
            if error.is_bystander:
                raise
            found = error
        self.server.drop(database)
        with self.lock:
            self.known[text] = found
        if isinstance(found, SqlError):
            raise found

    def read_facts(self, database):
        try:
            return self.oracle.facts(database)
        except RuntimeError as error:
            lost = bool(BYSTANDER.search(str(error)) or re.search("connection to server", str(error)))
            raise SqlError(message=str(error), is_lost=lost, is_bystander=lost) from None


def desired(pair, oracle):
    return pairs.without_data(pair.loaded("new"), oracle)


def call(function, text):
    return (f"SET statement_timeout = '{STATEMENT_TIMEOUT}';\n"
            f"SELECT pg_catalog.to_json(r) FROM kints.{function}({quote_text(text)}::text, '{OPTIONS}'::jsonb) r;\n")


def unquoted(name):
    return name.replace('"', "").removeprefix("public.")
