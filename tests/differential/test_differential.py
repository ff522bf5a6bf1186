"""Asks steerd, NSD, Knot and BIND the same questions about the same random zones. A difference that no rule
of differences.py explains fails the test with the part of the zone, the question and the four answers.

    test_differential.py                      5,000 questions
    STEERD_LONG_TESTS=1 test_differential.py  65,000; rules that never matched are told
    test_differential.py --write              writes the tables of docs/conformance.md anew
    STEERD_DIFFERENTIAL_SEED=N                begins with other zones
"""
import os
import pathlib
import re
import sys
import unittest

import additional
import behaviours
import differences
import odd_messages
import rounds
import tables
import truncation

LONG = bool(os.environ.get("STEERD_LONG_TESTS"))
SEED = int(os.environ.get("STEERD_DIFFERENTIAL_SEED", "1"))
SOURCE = pathlib.Path(os.environ.get("STEERD_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
DOCUMENT = SOURCE / "docs" / "conformance.md"
SHOWN = 4  # unexplained differences that are printed in full


def ids():
    return {rule.key for rule in differences.RULES + truncation.RULES + additional.RULES} | {
        row[0] for table in (odd_messages.BROKEN, odd_messages.OPCODES, odd_messages.CLASSES,
                             odd_messages.TYPES) for row in table.values()}


def report(result):
    text = f"{len(result.unexplained)} of {result.asked} questions are answered differently:\n"
    for seed, left, case in result.unexplained[:SHOWN]:
        text += f"\nseed {seed}: {'; '.join(left)}\n{case.text()}\n"
    for seed, left, case in result.unexplained[SHOWN:SHOWN + 40]:
        text += f"seed {seed}: {'; '.join(left)[:150]}: {str(case.question).splitlines()[0][:150]}\n"
    return text


class Differential(unittest.TestCase):
    maxDiff = None

    def test_random_questions(self):
        result = rounds.Result()
        plan = [5000] * 13 if LONG else [2500] * 2
        for n, count in enumerate(plan):
            result.add(rounds.run(SEED + n, count))
        print(f"\n{result.asked} questions, {sum(result.counts.values())} replies that differ as known:",
              ", ".join(f"{key} {count}" for key, count in sorted(result.counts.items())), file=sys.stderr)
        self.assertEqual(len(result.unexplained), 0, report(result))
        self.assertGreater(result.asked, 0.75 * sum(plan), "too many rounds were left out")
        # The questions are worth asking: most have data, and every kind of answer is among them.
        for word in ("NOERROR", "NXDOMAIN", "REFUSED", "YXDOMAIN", "FORMERR", "NOTIMP", "BADVERS"):
            some = any(key.startswith(word) for key in result.rcodes)
            self.assertTrue(some, word)
        self.assertLessEqual(set(result.counts), ids())
        if LONG:
            idle = ids() - set(result.counts)
            print("rules that never matched:", ", ".join(sorted(idle)) or "none", file=sys.stderr)
            # Some cases are rare, so a few may be missing; many mean that the zones have lost them.
            self.assertLessEqual(len(idle), 3, idle)

    def test_behaviours_are_as_documented(self):
        observed = behaviours.observe()
        self.assertEqual(tables.behaviours(observed),
                         tables.in_document(DOCUMENT.read_text(), "behaviours"),
                         "the table is written by test_differential.py --write")

    def test_tables_of_the_document_are_those_of_the_rules(self):
        for name, text in tables.parts().items():
            self.assertEqual(text, tables.in_document(DOCUMENT.read_text(), name),
                             "the table is written by test_differential.py --write")

    def test_tests_named_in_the_table_exist(self):
        code = "\n".join(path.read_text() for path in SOURCE.glob("tests/*/*")
                         if path.suffix in (".cc", ".py"))
        for _, _, name, _ in behaviours.ROWS + behaviours.NAMED:
            suite, _, test = name.partition(".")
            pattern = rf"\(\s*{suite},\s*{test}\)" if test else rf"def {suite}\b"
            self.assertTrue(not name or re.search(pattern, code), name)


def write():
    document = DOCUMENT.read_text()
    for name, text in tables.parts(behaviours.observe()).items():
        document = tables.replace(document, name, text)
    DOCUMENT.write_text(document)


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
