#!/usr/bin/python3
"""Make pairs of random schemas: A, and B which is A after some mutations.

Pair N of seed S is the same on every machine.  It prints the seed, and writes
each pair as NNN.a.sql and NNN.b.sql into a directory, or prints one pair.
"""
import argparse
import copy
import pathlib
import random
import sys

sys.dont_write_bytecode = True

from make import Maker
from mutate import Mutator
from nouns import Composite, Domain, Enum, Label, Sequence, quote
from relations import Column, Constraint, Index, Policy, Table, Trigger, View


def make_pair(seed, number):
    """(SQL of A, SQL of B, renames to tell of, what was done to A) of a pair."""
    rng = random.Random(f"{seed}/{number}")
    maker = Maker(rng)
    old = maker.database()
    before = old.sql()
    twins = {}
    maker.db = copy.deepcopy(old, twins)
    done = Mutator(maker).mutate(rng.randint(1, 8))
    renames = find_renames(old, maker.db, twins) if rng.random() < 0.5 else {}
    return before, maker.db.sql(), renames, done


def find_renames(old, new, twins):
    """{name in A: new name} of what has another name in B and is in the place where it was."""
    there = set(new.nodes())
    renames = {}
    for node in old.nodes():
        twin = twins.get(id(node))
        if twin not in there or twin.name == node.name or not node.name:
            continue
        path = path_of(node)
        if path and path[0] == path_of(twin)[0] and not has_label(node, twin.name):
            renames[".".join(map(quote, path))] = twin.name
    return renames


def path_of(node):
    """The name that the option takes, or None where it takes none."""
    if isinstance(node, Label):
        return [node.enum.schema.name, node.enum.name, node.name]
    if isinstance(node, Index):
        return [node.owner.schema.name, node.name]
    if isinstance(node, (Column, Constraint, Trigger, Policy)):
        return [node.owner.schema.name, node.owner.name, node.name]
    if isinstance(node, (Table, View, Sequence, Enum, Composite, Domain)):
        return [node.schema.name, node.name]
    return None


def has_label(node, name):
    return isinstance(node, Label) and name in {label.name for label in node.enum.labels}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--pair", type=int, metavar="N", help="print this pair only")
    parser.add_argument("--into", metavar="DIR", help="write the pairs there")
    arguments = parser.parse_args()
    print(f"-- seed {arguments.seed}")
    numbers = range(arguments.count) if arguments.pair is None else [arguments.pair]
    for number in numbers:
        before, after, renames, done = make_pair(arguments.seed, number)
        if arguments.into:
            directory = pathlib.Path(arguments.into)
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"{number:03}.a.sql").write_text(before, encoding="utf-8")
            (directory / f"{number:03}.b.sql").write_text(after, encoding="utf-8")
        if arguments.pair is not None and not arguments.into:
            print(f"{before}\n-- B: {'; '.join(done)}; renames {renames}\n\n{after}")
        else:
            print(f"-- {number}: {'; '.join(done)}")


if __name__ == "__main__":
    main()
