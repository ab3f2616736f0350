"""server.py - psql runs, their errors, and the databases and roles of a test run.

Everything goes through psql, so that whatever reaches a server by PGHOST,
PGPORT, PGUSER, a password file or a service works here too.  A run is one
psql process fed by its standard input: 10 ms, and no state left behind.
"""
import dataclasses
import glob
import os
import re
import shutil
import subprocess
import threading
import time

PSQL = ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose",
        "-v", "SHOW_CONTEXT=never", "-f", "-"]
MESSAGE = re.compile(r"^(?:psql:[^ ]*: )?(?:error: )?(ERROR|FATAL|PANIC):  (?:([0-9A-Z]{5}): )?(.*)$")
FIELD = re.compile(r"^(DETAIL|HINT|SCHEMA NAME|TABLE NAME|COLUMN NAME|CONSTRAINT NAME):  (.*)$")


def find_binaries():
    """The directory of psql and pg_dump themselves: a distribution's wrappers cost 20 ms a call."""
    if os.environ.get("PGBIN"):
        return os.environ["PGBIN"]
    found = glob.glob("/usr/lib/postgresql/*/bin/pg_dump")
    if found:
        return os.path.dirname(max(found, key=lambda path: int(path.split("/")[4])))
    path = shutil.which("pg_dump")
    if path is None:
        raise SystemExit("no pg_dump found; set PGBIN to the directory that has it")
    return os.path.dirname(path)


os.environ["PGBIN"] = find_binaries()
os.environ["PGCLIENTENCODING"] = "UTF8"


@dataclasses.dataclass
class SqlError(Exception):
    """What made a psql run fail.  sqlstate is '' when there was none."""
    sqlstate: str = ""
    message: str = ""
    fields: dict = dataclasses.field(default_factory=dict)
    is_lost: bool = False        # the connection ended, or there was none
    is_timeout: bool = False
    lines: list = dataclasses.field(default_factory=list)   # printed before it happened

    def __str__(self):
        text = f"{self.sqlstate} {self.message}".strip()
        for name in ("DETAIL", "HINT"):
            if name in self.fields:
                text += f"\n  {name.lower()}: {self.fields[name]}"
        return text

    @property
    def table(self):
        """The quoted name of the table the server blames, or None."""
        if "TABLE NAME" not in self.fields:
            return None
        return quote_name(self.fields.get("SCHEMA NAME", "public")) + "." + quote_name(
            self.fields["TABLE NAME"])


def read_error(stderr, status):
    """The first error in what psql said, with the fields that follow it."""
    error, field = None, None
    for line in stderr.splitlines():
        match = MESSAGE.match(line)
        if match:
            if error:
                break
            error = SqlError(match.group(2) or "", match.group(3))
            continue
        match = FIELD.match(line)
        if match and error:
            field = match.group(1)
            error.fields[field] = match.group(2)
        elif error and field == "DETAIL" and not re.match(r"^[A-Z ]+:", line):
            error.fields[field] += "\n" + line
        else:
            field = None
    if error is None:
        error = SqlError(message=" ".join(stderr.split()) or f"psql exit {status}")
    error.is_lost = status == 2
    error.is_timeout = error.sqlstate == "57014"
    return error


def psql(database, script, timeout=60):
    """The lines a script prints; SqlError at the first statement that fails."""
    environment = dict(os.environ, PGOPTIONS="-c client_min_messages=warning")
    command = [os.path.join(os.environ["PGBIN"], "psql"), "-d", database] + PSQL
    try:
        done = subprocess.run(command, input=script, env=environment, timeout=timeout,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              encoding="utf-8", errors="surrogateescape")
    except subprocess.TimeoutExpired:
        raise SqlError(message=f"no answer in {timeout} s", is_timeout=True) from None
    lines = done.stdout.split("\n")[:-1]
    if done.returncode:
        error = read_error(done.stderr, done.returncode)
        error.lines = lines
        raise error
    return lines


def quote_name(name):
    return '"' + name.replace('"', '""') + '"'


def quote_text(text):
    """A literal that psql and the server read back unchanged, whatever standard_conforming_strings is."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def drop_all(names):
    """A script that drops databases; it prints those that it cannot drop, and goes on."""
    drops = (f"DROP DATABASE IF EXISTS {name} WITH (FORCE);\n\\if :ERROR\n\\echo {name}\n\\endif\n" for name in names)
    return "\\set ON_ERROR_STOP off\n" + "".join(drops) + "\\set ON_ERROR_STOP on\n"


def wait_until_up(seconds=60):
    end = time.monotonic() + seconds
    while True:
        try:
            return psql("postgres", "SELECT 1;")
        except SqlError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


class Server:
    """The databases and roles of one run; all of them are gone after close()."""

    def __init__(self, prefix, template=None, keep=False):
        self.prefix = f"{prefix}_{os.getpid()}"
        self.keep = keep
        self.lock = threading.Lock()
        self.counter = 0
        self.databases = []
        self.unused = []    # of these, to be dropped by whoever makes the next one
        self.roles = []
        try:
            psql("postgres", "SELECT 1;")
        except SqlError as error:
            raise SystemExit(f"no server to run on: {error}") from None
        self.template = template or self.make_template()

    def make_template(self):
        """An empty database that has the extension, its functions in schema kints."""
        name = f"{self.prefix}_template"
        self.databases.append(name)
        psql("postgres", f"CREATE DATABASE {name} TEMPLATE template0;")
        try:
            psql(name, "CREATE SCHEMA IF NOT EXISTS kints;\nCREATE EXTENSION kints_norm SCHEMA kints;")
        except SqlError as error:
            self.close()
            raise SystemExit(f"cannot create the extension kints_norm: {error}") from None
        return name

    def create(self, *tags):
        """New databases, copies of the template, one a tag."""
        with self.lock:
            names = [f"{self.prefix}_{self.counter + i}_{tag}" for i, tag in enumerate(tags)]
            self.counter += len(tags)
            self.databases += names
            unused, self.unused = self.unused, []
        script = drop_all(unused) + "".join(f"CREATE DATABASE {name} TEMPLATE {self.template};\n" for name in names)
        self.forget(unused, psql("postgres", script))
        return names

    def drop(self, *names):
        """Drops databases, when the next ones are made; one that cannot be dropped then is left to close()."""
        if not self.keep:
            with self.lock:
                self.unused += names

    def forget(self, names, left):
        """These are gone, but for those that are left."""
        gone = set(names) - set(left)
        with self.lock:
            self.databases = [name for name in self.databases if name not in gone]

    def make_roles(self, statements):
        """Creates the roles that do not exist; statements: {name: CREATE ROLE ...}."""
        there = set(psql("postgres", "SELECT rolname FROM pg_catalog.pg_roles;"))
        missing = [name for name in statements if name not in there]
        psql("postgres", "".join(f"{statements[name]};\n" for name in missing))
        self.roles += missing

    def close(self):
        if self.keep:
            print("kept:", " ".join(self.databases))
            return
        wait_until_up()
        self.forget(self.databases, psql("postgres", drop_all(self.databases)))
        if self.databases:
            print("could not be dropped:", " ".join(self.databases))
        psql("postgres", "".join(f"DROP ROLE IF EXISTS {quote_name(name)};\n" for name in self.roles))
        self.roles = []
