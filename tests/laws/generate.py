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


def make_pair(seed, number):
    """(SQL of A, SQL of B, what was done to A) of a pair."""
    rng = random.Random(f"{seed}/{number}")
    maker = Maker(rng)
    before = maker.database().sql()
    maker.db = copy.deepcopy(maker.db)
    done = Mutator(maker).mutate(rng.randint(1, 8))
    return before, maker.db.sql(), done


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
        before, after, done = make_pair(arguments.seed, number)
        if arguments.into:
            directory = pathlib.Path(arguments.into)
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"{number:03}.a.sql").write_text(before, encoding="utf-8")
            (directory / f"{number:03}.b.sql").write_text(after, encoding="utf-8")
        if arguments.pair is not None and not arguments.into:
            print(f"{before}\n-- B: {'; '.join(done)}\n\n{after}")
        else:
            print(f"-- {number}: {'; '.join(done)}")


if __name__ == "__main__":
    main()
