"""Where the instructions of an answer go: functions by their share, for each kind of question.

usage: profile_answers.py [--write-docs FILE] [KIND...]   with STEERD_INSTRUCTIONS set

The same program and questions as the guard's (test_instructions.py), under callgrind. A function that the
compiler put into its caller counts there. What asks (Scenes::ask) is left out of the table, and so of the total.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

KINDS = ["static", "edns", "geo", "latency", "weighted", "failover", "nested", "multivalue", "wildcard",
         "nxdomain", "nodata", "members-1", "members-10", "members-100", "members-1000"]
QUERIES = 1024  # counted over this many, after as many that are not
SHOWN = 0.04    # smaller shares are summed up
BEGIN, END = "<!-- profile: written by scripts/profile-speed -->", "<!-- end of profile -->"


def short(name):
    """steerd::zones::Zone::lookup_plain(...) const -> Zone::lookup_plain"""
    name = re.sub(r"\s*\[[^\]]*\]$", "", name)
    name = name.replace("(anonymous namespace)::", "").split("(")[0]
    name = re.sub(r"<[^<>]*>", "", name).split(" ")[-1]
    return re.sub(r"^(?:steerd::)?(?:dns|zones|policy|base|geo|speed)::", "", name).split("@")[0]


def functions_of(dump):
    """Function -> instructions of one dump."""
    text = subprocess.run(["callgrind_annotate", "--threshold=100", "--show-percs=no", dump],
                          capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}).stdout
    counted = {}
    for number, name in re.findall(r"^ *([\d,]+) +\S*?:(\S.*)$", text, re.M):
        counted[short(name)] = counted.get(short(name), 0) + int(number.replace(",", ""))
    return counted


def measured(kinds):
    """kind -> function -> instructions of one answer."""
    with tempfile.TemporaryDirectory(prefix="profile-") as folder:
        subprocess.run(["setarch", "-R", "valgrind", "--tool=callgrind", "--instr-atstart=no",
                        f"--callgrind-out-file={folder}/out", os.environ["STEERD_INSTRUCTIONS"],
                        str(QUERIES), *kinds],
                       capture_output=True, check=True, timeout=300,
                       env={"PATH": os.environ["PATH"], "LC_ALL": "C",
                            "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX_Fast_Unaligned_Load,-AVX2,-SSSE3,-ERMS"})
        counted = {}
        for dump in pathlib.Path(folder).glob("out.*"):
            title = re.search(r"^desc: Trigger: Client Request: (\S+) (\d+)$", dump.read_text(), re.M)
            if title:
                counted[title.group(1), int(title.group(2))] = functions_of(str(dump))
        return {kind: {name: (counted[kind, 2 * QUERIES].get(name, 0) - counted[kind, QUERIES].get(name, 0))
                       / QUERIES for name in counted[kind, 2 * QUERIES]} for kind in kinds}


def table(figures):
    lines = ["| kind | instructions | by function |", "|---|---|---|"]
    for kind, functions in figures.items():
        counted = {name: n for name, n in functions.items() if name != "Scenes::ask" and n > 0}
        total = sum(counted.values())
        shown = sorted(((n, name) for name, n in counted.items() if n >= SHOWN * total), reverse=True)
        words = [f"`{name}` {n / total:.0%}" for n, name in shown]
        rest = total - sum(n for n, _ in shown)
        lines.append(f"| {kind} | {total:.0f} | {', '.join(words)}, others {rest / total:.0%} |")
    return "\n".join(lines)


def main():
    args = sys.argv[1:]
    docs = None
    if args[:1] == ["--write-docs"]:
        docs, args = pathlib.Path(args[1]), args[2:]
    text = table(measured(args or KINDS))
    print(text)
    if docs:
        page = docs.read_text()
        before, rest = page.split(BEGIN)
        docs.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
