"""report.py - what a run of the pairs prints: shares, causes, requirements."""
import collections
import json
import sys

from verdict import OUTCOMES

EXAMPLES = 4


class Progress:
    """A line on a terminal's stderr that says how far the run is."""

    def __init__(self, total):
        self.total = total
        self.done = 0

    def step(self):
        self.done += 1
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{self.done}/{self.total}" + ("\n" if self.done == self.total else ""))
            sys.stderr.flush()


def print_shares(results):
    """A line for each file and for each suite of it."""
    print(f"{'':24}{'pairs':>7}{'share':>9}  " + "".join(f"{outcome:>11}" for outcome in OUTCOMES))
    by_file = collections.defaultdict(list)
    for evidence, verdict in results:
        by_file[evidence.pair.file].append((evidence.pair.suite, verdict))
    for file, found in by_file.items():
        print_share(file, [verdict for _, verdict in found])
        for suite in dict.fromkeys(suite for suite, _ in found):
            print_share("  " + suite, [verdict for s, verdict in found if s == suite])


def print_share(title, verdicts):
    counts = collections.Counter(verdict.outcome for verdict in verdicts)
    print(f"{title:24}{len(verdicts):>7}{100 * counts['converged'] / len(verdicts):>7.1f} %  "
          + "".join(f"{counts[outcome] or '-':>11}" for outcome in OUTCOMES))


def print_causes(results):
    """What did not converge, grouped by cause, the worst outcome first."""
    groups = collections.defaultdict(list)
    for evidence, verdict in results:
        if verdict.outcome != "converged":
            groups[verdict.outcome, verdict.cause].append(evidence.pair.id)
    for outcome in reversed(OUTCOMES):
        found = [(cause, ids) for (o, cause), ids in groups.items() if o == outcome]
        if found:
            print(f"\n{outcome}: {sum(len(ids) for _, ids in found)}")
        for cause, ids in sorted(found, key=lambda item: (-len(item[1]), item[0])):
            print(f"{len(ids):>5}  {cause}")
            print(f"       {', '.join(ids[:EXAMPLES])}{', ...' if len(ids) > EXAMPLES else ''}")


def print_notes(results):
    """Things that cost a pair nothing and that a reader wants to know."""
    refused = [evidence for evidence, verdict in results if evidence.refused and verdict.outcome == "converged"]
    restarted = [evidence for evidence, verdict in results if evidence.restarts]
    rows = sum(evidence.before.count() for evidence, _ in results if evidence.before)
    print(f"\n{rows} rows seeded; {len(refused)} pairs converged after apply had refused rows (errors of class 22 and 23)"
          " and they were taken out"
          + (": " + ", ".join(e.pair.id for e in refused[:EXAMPLES]) + (", ..." if len(refused) > EXAMPLES else "")
             if refused else ""))
    if restarted:
        print(f"{len(restarted)} pairs have a sequence that lost its position: "
              + ", ".join(e.pair.id for e in restarted[:EXAMPLES]) + (", ..." if len(restarted) > EXAMPLES else ""))


def print_pair(evidence, verdict, oracle):
    print(f"\n{evidence.pair.id}: {verdict.outcome}{': ' + verdict.cause if verdict.cause else ''}"
          f"  ({len(evidence.plan)} rows planned, {evidence.applied} steps applied, {evidence.seconds:.1f} s)")
    for line in verdict.lines + [f"refused: {line}" for line in evidence.refused] + evidence.restarts:
        print("  " + line.replace("\n", "\n  "))
    oracle.show(verdict.differences)
    if evidence.database and evidence.is_kept:
        print("  database:", evidence.database)


def write_json(path, results):
    records = [{
        "file": evidence.pair.file, "suite": evidence.pair.suite, "name": evidence.pair.name,
        "outcome": verdict.outcome, "cause": verdict.cause, "details": verdict.lines,
        "differences": verdict.differences, "plan": evidence.plan, "second_plan": evidence.second,
        "refused": evidence.refused, "restarts": evidence.restarts, "seconds": round(evidence.seconds, 3),
    } for evidence, verdict in results]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(records, file, indent=1)
