"""pairs.py - the pairs of schemas: where they are, and what is to be done with each."""
import dataclasses
import json
import os
import pathlib
import re
import sys

from server import quote_name

FILES = ("schema_pairs.jsonl", "real_pairs.jsonl")
ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_directory():
    """The directory of the pair files and of oracle.py, or an exit that says what is missing."""
    directory = pathlib.Path(os.environ.get("KINTS_CASES") or ROOT.parent / "shared" / "cases")
    for name in FILES + ("oracle.py",):
        if not (directory / name).is_file():
            raise SystemExit(f"no {name} in {directory}: set KINTS_CASES to the directory that has it")
    return directory


def import_oracle(directory):
    """oracle.py as a module: it compares two databases and knows nothing of the extension."""
    sys.path.insert(0, str(directory))
    import oracle
    sys.path.pop(0)
    oracle.BIN = os.environ["PGBIN"]
    return oracle


@dataclasses.dataclass
class Pair:
    file: str
    suite: str
    name: str
    roles: dict           # name -> CREATE ROLE statement
    setup: str            # stands before both texts
    old: str
    new: str
    expect_empty: bool    # the two are the same schema

    @property
    def id(self):
        return self.name if self.name.startswith(self.suite + "/") else f"{self.suite}/{self.name}"

    def loaded(self, side):
        """What psql loads to get a side."""
        return self.setup + (self.old if side == "old" else self.new)


def read_pairs(directory, files, oracle):
    pairs = []
    for file in files:
        path = pathlib.Path(file) if os.sep in file else directory / file
        with open(path, encoding="utf-8") as lines:
            pairs += [make_pair(path.name, json.loads(line), oracle) for line in lines]
    return pairs


def make_pair(file, record, oracle):
    """Roles belong to the cluster: CREATE ROLE is taken out of the setup and run once, beforehand."""
    roles = {name: f"CREATE ROLE {quote_name(name)}" for name in record["roles"]}
    setup = ""
    for statement in oracle.split_statements(record["setup_sql"]):
        match = re.match(r"CREATE ROLE (\w+)", statement, re.I)
        if match:
            roles[match.group(1)] = statement
        else:
            setup += statement + ";\n"
    if re.search(r"\bpostgres\b", record["old_sql"] + record["new_sql"]):
        roles.setdefault("postgres", "CREATE ROLE postgres")
    return Pair(file, record["suite"], record["name"], roles, setup,
                record["old_sql"], record["new_sql"], record["expect_empty"] is True)


def without_data(text, oracle):
    """A text as a desired state: INSERT and COPY with its lines are data and no schema.

    They are blanked, not cut, so that line numbers stay true.
    """
    if re.search(r"^COPY .* FROM stdin", text, re.M | re.I):
        text = re.sub(r"^COPY [^\n]* FROM stdin.*?^\\\.$", blank, text, flags=re.M | re.S | re.I)
    if re.search(r"^\s*INSERT\s", text, re.M | re.I):
        for statement in oracle.split_statements(text):
            if re.match(r"INSERT\s", statement, re.I):
                text = text.replace(statement + ";", "\n" * statement.count("\n"), 1)
    return text


def blank(match):
    return "\n" * match.group(0).count("\n")
