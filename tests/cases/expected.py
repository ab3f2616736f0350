"""expected.py - what the schema of a text should be: that of a database loaded with it.

Reading one costs two thirds of a pair's time, so each text is read once.  Most
texts are the old state of one pair and the new state of another: such a text is
read where it is loaded anyway (remember), the others from a database of their
own (load).  What was read is kept in a directory for the next run, under a
digest of all it depends on.
"""
import hashlib
import json
import os
import pathlib
import re
import subprocess
import threading

from server import SqlError, psql

LOST = re.compile("connection to server|server closed the connection|terminating connection")


class Expected:
    def __init__(self, server, oracle, directory):
        self.server = server
        self.oracle = oracle
        self.directory = pathlib.Path(directory) if directory else None
        self.facts = {}        # text -> facts, or the SqlError of loading it
        self.lock = threading.Lock()
        self.basis = ""
        if self.directory:
            self.directory.mkdir(parents=True, exist_ok=True)
            self.basis = self.describe_basis()

    def describe_basis(self):
        """All but the text that facts depend on: server, pg_dump, oracle, and the empty template."""
        pg_dump = [os.path.join(os.environ["PGBIN"], "pg_dump"), "--version"]
        version = subprocess.run(pg_dump, stdout=subprocess.PIPE, encoding="utf-8", check=True).stdout
        source = pathlib.Path(self.oracle.__file__).read_text(encoding="utf-8")
        empty = sorted(self.read(self.server.template).items())
        return "\n".join([psql("postgres", "SELECT version();")[0], version, source, repr(empty)])

    def path(self, text):
        return self.directory / (hashlib.sha256((self.basis + "\n" + text).encode()).hexdigest() + ".json")

    def find(self, text):
        """Is the text known by now?"""
        with self.lock:
            if text in self.facts:
                return True
        if not self.directory or not self.path(text).is_file():
            return False
        items = json.loads(self.path(text).read_text(encoding="utf-8"))
        with self.lock:
            self.facts[text] = {(cls, key): value for cls, key, value in items}
        return True

    def keep(self, text, facts):
        with self.lock:
            self.facts[text] = facts
        if self.directory and not isinstance(facts, SqlError):
            items = [[cls, key, value] for (cls, key), value in facts.items()]
            partial = self.path(text).with_suffix(f".{threading.get_ident()}")
            partial.write_text(json.dumps(items), encoding="utf-8")
            partial.rename(self.path(text))

    def remember(self, text, database):
        """Takes the facts of a text from a database that has just been loaded with it."""
        if not self.find(text):
            self.keep(text, self.read(database))

    def load(self, text):
        """The facts of a text; SqlError where it does not load."""
        if not self.find(text):
            (database,) = self.server.create("b")
            try:
                psql(database, text)
                facts = self.read(database)
            except SqlError as error:
                if error.is_lost:
                    raise
                facts = error
            self.server.drop(database)
            self.keep(text, facts)
        if isinstance(self.facts[text], SqlError):
            raise self.facts[text]
        return self.facts[text]

    def read(self, database):
        """The facts of a database.  A dump that fails is an error without an SQLSTATE."""
        try:
            return self.oracle.facts(database)
        except RuntimeError as error:
            raise SqlError(message=str(error), is_lost=bool(LOST.search(str(error)))) from None
