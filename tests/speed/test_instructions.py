"""The guard on speed that needs no clock: instructions of one answer, by callgrind, for six kinds of
question, and of reading ahead for one of them, within 3 % of what tests/speed/instructions.json says.

usage: test_instructions.py [--record] [-v]   with STEERD_INSTRUCTIONS and STEERD_SOURCE_DIR set

The same program on the same questions executes the same instructions, whatever else the machine does.
The figures hold for the compiler and the C library they were recorded with: where these differ, record anew
on the commit before the change, and compare with that.
"""
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import unittest

KINDS = ["static", "edns", "geo", "weighted", "nested", "nxdomain", "nested-ahead"]
QUERIES = 1024  # a multiple of the 512 different ones of a kind
LIMIT = 0.03
RECORD = pathlib.Path(os.environ["STEERD_SOURCE_DIR"]) / "tests/speed/instructions.json"
PROGRAM = os.environ["STEERD_INSTRUCTIONS"]


def measured():
    """kind -> instructions of one query; and what it was compiled with."""
    with tempfile.TemporaryDirectory(prefix="speed-") as folder:
        out = pathlib.Path(folder) / "out"
        done = subprocess.run(
            ["setarch", "-R", "valgrind", "--tool=callgrind", "--instr-atstart=no",
             f"--callgrind-out-file={out}", PROGRAM, str(QUERIES), *KINDS],
            capture_output=True, text=True, timeout=200,
            # Without the C library's choices by CPU, memcpy and its like are the same everywhere.
            env={"PATH": os.environ["PATH"], "LC_ALL": "C",
                 "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX2,-SSSE3,-ERMS"})
        if done.returncode != 0:
            raise AssertionError(f"{PROGRAM} failed:\n{done.stdout}{done.stderr}")
        counted = {}
        for dump in pathlib.Path(folder).glob("out.*"):
            text = dump.read_text()
            title = re.search(r"^desc: Trigger: Client Request: (\S+) (\d+)$", text, re.M)
            total = re.search(r"^(?:summary|totals): (\d+)", text, re.M)
            if title and total:
                counted[title.group(1), int(title.group(2))] = int(total.group(1))
        if any(value < QUERIES for value in counted.values()):
            raise AssertionError(f"callgrind counted nothing: {counted}\n{done.stderr}")
        compiler = re.search(r"^compiler (.*)$", done.stdout, re.M).group(1)
        return ({kind: round((counted[kind, 2 * QUERIES] - counted[kind, QUERIES]) / QUERIES, 1)
                 for kind in KINDS}, f"{compiler}, {' '.join(platform.libc_ver())}, {platform.machine()}")


def table(now, before):
    return "\n".join(f"{kind:12} {now[kind]:9.1f}  recorded {before.get(kind, float('nan')):9.1f}  "
                     f"{(now[kind] / before[kind] - 1) * 100 if kind in before else float('nan'):+6.1f} %"
                     for kind in KINDS)


class Instructions(unittest.TestCase):
    def test_answers_take_no_more_instructions_than_recorded(self):
        record = json.loads(RECORD.read_text())
        before = record["instructions_per_query"]
        now, toolchain = measured()
        print(f"\n{table(now, before)}", file=sys.stderr)
        self.assertEqual(sorted(before), sorted(KINDS), "record anew: other kinds")
        off = [kind for kind in KINDS if abs(now[kind] / before[kind] - 1) > LIMIT]
        self.assertEqual(
            off, [],
            f"\n{table(now, before)}\nMore than {LIMIT:.0%} away from {RECORD.name}, recorded with "
            f"{record['toolchain']}; this is {toolchain}.\nIf this is meant (less is an improvement, and "
            "is recorded too), run\n  scripts/record-speed\nand say why in the commit.")


def main():
    if "--record" not in sys.argv:
        unittest.main()
    now, toolchain = measured()
    before = json.loads(RECORD.read_text())["instructions_per_query"] if RECORD.exists() else {}
    print(table(now, before))
    RECORD.write_text(json.dumps({"toolchain": toolchain, "queries": QUERIES,
                                  "instructions_per_query": now}, indent=2) + "\n")


if __name__ == "__main__":
    main()
