"""What the peers of the client cost over libpq: see docs/bench.md.

Each program answers questions on a pipe (peer.h).  They are asked in turns, raw.c
among them, so a ratio is that of two runs which saw the same machine.
"""

import os
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = ("pqxx", "zdb", "pgx")
NAMES = {"pqxx": "libpqxx", "zdb": "libzdb", "pgx": "pgx"}
MODULE = "github.com/jackc/pgx/v5"
ROUNDS = 5
PAIRS = 200000  # of a thread, as in the programs
# Figure, task, what raw.c does beside it, how many, turns in a round.
RATES = (
    ("call", "calls", "calls", 1000, 10),
    ("context", "contexts", "contexts", 500, 10),
    ("batch", "batches", "echoes", 1000, 10),
    ("scan", "scan", "scan", 1000000, 1),
    ("copy", "copy", "copy", 200000, 3),
)


class Program:
    """One of the programs, running."""

    def __init__(self, name, path, environment):
        self.name = name
        self.running = subprocess.Popen(
            [path], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def stop(self):
        self.running.stdin.close()
        self.running.stdout.close()
        if self.running.wait() != 0:
            sys.exit(f"bench/run: {self.name} has failed at its end")

    def ask(self, task, count):
        """Nanoseconds that passed and that it worked, and what came of it; None: it has no
        such task."""
        self.running.stdin.write(f"{task} {count}\n")
        self.running.stdin.flush()
        answer = self.running.stdout.readline()
        if not answer:
            sys.exit(f"bench/run: {self.name} has failed at {task}")
        return None if answer == "-\n" else tuple(float(part) for part in answer.split())


def run(*command, **options):
    return subprocess.run(command, cwd=HERE, stdout=sys.stderr, check=False, **options).returncode == 0


def has_header(header, *compiler):
    """Whether a library is to be had."""
    text = f"#include <{header}>\n"
    return shutil.which(compiler[0]) and run(
        *compiler, "-E", "-o", os.devnull, "-", input=text, text=True, stderr=subprocess.DEVNULL
    )


def command_for(name, path):
    """The command that makes a program; None: it cannot be had here."""
    include = subprocess.run(["pg_config", "--includedir"], check=True, capture_output=True, text=True).stdout.strip()
    flags = ("-O2", "-Wall", "-Wextra", "-Werror", "-pthread", "-isystem", include)
    c = ("cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L", *flags, "-x", "c")
    if name == "raw":
        return *c, "-o", path, "raw.c", "-lpq"
    if name == "pqxx":
        # Later versions advise against what the oldest has.
        cxx = ("g++", "-std=c++17", *flags, "-Wno-deprecated-declarations", "-x", "c++")
        return (*cxx, "-o", path, "pqxx.cpp", "-lpqxx", "-lpq") if has_header("pqxx/pqxx", *cxx) else None
    if name == "zdb":
        zdb = (*c, "-isystem", "/usr/include/zdb", "-isystem", "/usr/local/include/zdb")
        return (*zdb, "-o", path, "zdb.c", "-lzdb") if has_header("zdb.h", *zdb) else None
    go = ("env", "-C", "pgx", "go")
    is_there = shutil.which("go") and run(*go, "mod", "download", MODULE, stderr=subprocess.DEVNULL)
    return (*go, "build", "-mod=readonly", "-buildvcs=false", "-o", path, ".") if is_there else None


def build(folder):
    """Paths of the programs that can be had here; those that cannot are told."""
    os.makedirs(folder, exist_ok=True)
    paths = {}
    for name in ("raw", *PEERS):
        path = os.path.join(folder, name)
        command = command_for(name, path)
        if command is None:
            print(f"{NAMES[name]}: not available here", flush=True)
        elif run(*command):
            paths[name] = path
        else:
            sys.exit(f"bench/run: the bench of {name} does not build")
    return paths


class Turns:
    """The programs, and what they were measured at: a value a round for each figure."""

    def __init__(self, paths, environment):
        self.programs = {name: Program(name, path, environment) for name, path in paths.items()}
        self.raw = self.programs["raw"]
        self.found = {}

    def stop(self):
        for program in self.programs.values():
            program.stop()

    def keep(self, name, value):
        self.found.setdefault(name, []).append(value)

    def fill(self, task, count):
        """Has each make the rows that it will write in bulk."""
        for program in self.programs.values() if task == "copy" else ():
            program.ask("fill", count)

    def copied(self, task):
        """What was written in bulk: raw.c looks, and takes it away."""
        return self.raw.ask("copied", 0)[2] if task == "copy" else None

    def turn(self, task, base, count):
        """What raw.c answers to that with which all are compared, and what each to the task."""
        bare = self.raw.ask(base, count)
        wanted = (bare[2], self.copied(base))
        answers = {}
        for name, program in self.programs.items():
            answer = program.ask(task, count) if (name, task) != ("raw", base) else None
            if answer is None:
                continue
            if (answer[2], self.copied(task)) != wanted:
                sys.exit(f"bench/run: {name}: what came of {task} is not the same")
            answers[name] = answer
        return bare, answers

    def rates(self, figure, task, base, count, turns):
        """A round of one of the RATES."""
        taken = {}
        for _ in range(turns):
            bare, answers = self.turn(task, base, count)
            for name, answer in answers.items():
                ratios = (bare[0] / answer[0], (answer[1] - bare[1]) / count / 1000, answer[1] / count)
                taken.setdefault(name, []).append(ratios)
        for name, ratios in taken.items():
            rate, above, cpu = (statistics.median(column) for column in zip(*ratios))
            who = "libpq" if name == "raw" else name
            self.keep(f"peer.{who}.{figure}.rate", rate)
            if figure == "call":
                self.keep(f"peer.{who}.call.cpu", above)
            if figure == "scan":
                self.keep(f"peer.{who}.scan.cpu", cpu)

    def pools(self):
        """A round of those that have a pool."""
        for threads in (1, 8):
            for name, program in self.programs.items():
                if program.ask("pool", threads):
                    worked = program.ask("pairs", threads)[1]
                    self.keep(f"peer.{name}.pool.pair.{threads}", worked / (PAIRS * threads))
        for name, program in self.programs.items():
            if program.ask("pool", 4):
                self.keep(f"peer.{name}.pool.fairness", program.ask("share", 32)[2])

    def figures(self):
        """(name, value, unit) of each figure, those of a peer together."""
        order = ("libpq", *PEERS)
        for name in sorted(self.found, key=lambda name: order.index(name.split(".")[1])):
            unit = "us" if name.endswith("call.cpu") else "ns" if ".cpu" in name or ".pair." in name else "ratio"
            yield name, statistics.median(self.found[name]), unit


def measure_rates(paths, environment):
    """Figures of what goes over one connection."""
    turns = Turns(paths, environment)
    for program in turns.programs.values():
        program.ask("open", 1)
    for each in range(ROUNDS):
        print(f"peers, round {each + 1} of {ROUNDS}", file=sys.stderr)
        for rate in RATES:
            turns.fill(rate[1], rate[3])
            turns.rates(*rate)
    turns.stop()
    return turns.figures()


def measure_pools(paths, environment):
    """Figures of the pools."""
    turns = Turns(paths, environment)
    for _ in range(ROUNDS):
        turns.pools()
    turns.stop()
    return turns.figures()
