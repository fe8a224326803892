"""Flip random bytes in each of a corpus's files, and look at what comes out.

    python bench/damage.py [--flips N] [--seed N]

For each kind of file N bytes, one at a time, become another one. Then the corpus is opened and
asked, and everything it says is compared with what it said before. What may come out: an error with
a remedy, or the same answers, or (where a row's versions were hit) fewer documents; never another
text, title or quote. Prints a table by kind, and fails on any violation.
"""

import argparse
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path

from ragstone.corpus.repairing import doctor
from ragstone.errors import RagstoneError
from trials import Trial


def outcome(made: Trial, copy: Path, before: tuple) -> str:
    """What the damaged corpus says, in a word."""
    try:
        after = made.state(copy)
    except RagstoneError as error:
        return "refused" if error.remedy else "wrong"
    except AssertionError:  # "a document is doubled": an index of the database was hit
        return "told by doctor" if any(f.severity == "error" for f in doctor(copy)) else "wrong"
    if after == before:
        return "the same"
    documents = {(source, text) for source, text, _ in before[1]}
    quotes = {(source, text) for answer in before[2] for _, source, _, text in answer}
    texts_hold = {(source, text) for source, text, _ in after[1]} <= documents
    quotes_hold = {(s, t) for answer in after[2] for _, s, _, t in answer} <= quotes
    return "other documents seen" if texts_hold and quotes_hold else "wrong"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--flips", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ragstone-damage-"))
    table: dict[str, Counter[str]] = {}
    try:
        made = Trial(folder / "t", options.seed)
        for _ in range(3):
            made.change(12)
            made.sync()
        before = made.state()
        choose = random.Random(options.seed)
        for kind in ("corpus.db", "segments/*.lex", "segments/*.vec"):
            table[kind] = Counter()
            for _ in range(options.flips):
                copy = folder / "copy"
                shutil.copytree(made.corpus, copy)
                victim = choose.choice(sorted(copy.glob(kind)))
                content = bytearray(victim.read_bytes())
                content[choose.randrange(len(content))] ^= choose.randrange(1, 256)
                victim.write_bytes(content)
                found = outcome(made, copy, before)
                if found == "the same" and any(f.severity == "error" for f in doctor(copy)):
                    found = "told by doctor"
                table[kind][found] += 1
                shutil.rmtree(copy)
    finally:
        shutil.rmtree(folder)
    columns = ["refused", "told by doctor", "the same", "other documents seen", "wrong"]
    print("| file | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for kind, count in table.items():
        print(f"| {kind} | " + " | ".join(str(count[column]) for column in columns) + " |")
    wrong = sum(count["wrong"] for count in table.values())
    if wrong:
        raise SystemExit(f"{wrong} wrong answers")
    print(f"\n{options.flips * len(table)} flips: no wrong text, title or quote.")


if __name__ == "__main__":
    main()
