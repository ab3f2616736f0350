"""verdict.py - from the evidence of a pair to its outcome and the cause of it.

The outcomes, the worst last:
  converged   the schema, the second plan and the rows are as they should be
  unmodelled  it did not get there and said so: every difference is named by an
              `unmodelled` row of the plan, or the error is KN004
  broken      the pair's own SQL does not load
  error       plan or apply failed
  timeout     ... by taking too long
  wrong       apply succeeded, and the schema (a), the second plan (b) or the
              rows (c) are wrong with nothing to warn of it
  crash       the server ended the connection
"""
import dataclasses
import re

import rows
from server import SqlError

OUTCOMES = ("converged", "unmodelled", "broken", "error", "timeout", "wrong", "crash")

# The words by which a row may call what the oracle files under these classes.
CLASS_WORDS = {
    "acl": r"grant|privilege|acl",
    "defacl": r"privilege|acl",
    "owner": r"own",
    "comment": r"comment",
}
ELSEWHERE = re.compile(r"\b(grants?|privileges?|acl|owners?|comments?)\b", re.I)
NAME = re.compile(r'"(?:[^"]|"")+"|[A-Za-z_\x80-\uffff][\w$]*')


@dataclasses.dataclass
class Verdict:
    outcome: str
    cause: str = ""       # the same for the same kind of failure, whatever the names
    lines: list = dataclasses.field(default_factory=list)   # the particulars
    differences: list = dataclasses.field(default_factory=list)   # the oracle's


def decide(evidence, oracle):
    if evidence.error:
        return decide_error(evidence)
    if isinstance(evidence.expected, SqlError):
        return Verdict("broken", normal(str(evidence.expected)), [f"new: {evidence.expected}"])
    differences = oracle.compare(evidence.facts, evidence.expected)
    warnings = [row for row in evidence.plan + evidence.second if row["kind"] == "unmodelled"]
    uncovered = [d for d in differences if not is_named(d, warnings)]
    faults = find_faults(evidence, uncovered)
    if faults:
        causes = "; ".join(dict.fromkeys(cause for cause, _ in faults))
        return Verdict("wrong", causes, [line for _, line in faults if line], differences)
    if differences:
        return Verdict("unmodelled", "named: " + classes(differences),
                       sorted({f"{row['object']}" for row in warnings}), differences)
    return Verdict("converged")


def decide_error(evidence):
    error = evidence.error
    text = f"{evidence.stage}: {error}"
    if evidence.stage.startswith("load"):
        return Verdict("broken", normal(text), [text])
    if error.is_timeout:
        return Verdict("timeout", evidence.stage, [text])
    if error.is_lost:
        return Verdict("crash", evidence.stage, [text])
    if evidence.stage == "dump":
        return Verdict("wrong", "(a) pg_dump fails: " + normal(error.message), [text])
    if evidence.stage == "second plan":
        return Verdict("wrong", "(b) second plan fails: " + normal(error.message), [text])
    outcome = "unmodelled" if error.sqlstate == "KN004" else "error"
    return Verdict(outcome, f"{evidence.stage} {error.sqlstate} {normal(error.message)}", [text])


def find_faults(evidence, uncovered):
    """(cause, particulars) of all that is wrong after an apply that succeeded."""
    faults = []
    if uncovered:
        faults.append(("(a) " + classes(uncovered), ""))
    if evidence.pair.expect_empty and steps(evidence.plan):
        faults += [("(b) plan of an equal schema: " + kinds(evidence.plan), describe(row)) for row in steps(evidence.plan)]
    if steps(evidence.second):
        faults += [("(b) second plan: " + kinds(evidence.second), describe(row)) for row in steps(evidence.second)]
    for line in rows.losses(evidence.before, evidence.after):
        faults.append(("(c) " + line.split(":")[0], line))
    return faults


def steps(plan):
    return [row for row in plan if row["kind"] != "unmodelled"]


def kinds(plan):
    return ", ".join(sorted({row["kind"] for row in steps(plan)}))


def classes(differences):
    """The classes that differ; an owner that only comes or goes with its object is not worth a word."""
    found = {cls for cls, _, a, b in differences if cls != "owner" or (a and b)}
    return ", ".join(sorted(found or {"owner"}))


def describe(row):
    return f"{row['kind']} {row['object']}: {row['sql']}"


def is_named(difference, warnings):
    """Does a row of kind unmodelled name the object of a difference, and mean that side of it?"""
    cls, key, _, _ = difference
    names = {name.strip('"').lower() for name in NAME.findall(key)} - {"public", "on", "to", "table", "only"}
    for row in warnings:
        text = " ".join(str(row[field]) for field in ("object", "sql", "hazards") if row.get(field)).lower()
        about = CLASS_WORDS.get(cls)
        if about and not re.search(about, text):
            continue
        if not about and ELSEWHERE.search(text):
            continue
        if any(name in text for name in names):
            return True
    return False


def normal(message):
    """A message without what differs from pair to pair: names and numbers."""
    message = re.sub(r'"[^"]*"', '"?"', message.splitlines()[0])
    message = re.sub(r"\b\d+\b", "N", message)
    return re.sub(r"\b\w+\.\w+(\([^)]*\))?", "?", message)
