"""One round: zones, four servers, questions, comparison. What was truncated over UDP is asked again over
TCP, and both answers are held against each other and against the limit."""
import collections
import concurrent.futures
import copy
import pathlib
import sys
import tempfile

import additional
import asking
import differences
import model
import odd_messages
import questions
import random_zones
import truncation
from compare import Case
from servers import NAMES, Four


class Hung(Exception):
    """A peer that stopped answering for good."""


class Result:
    def __init__(self):
        self.asked = 0
        self.counts = collections.Counter()  # id -> replies explained
        self.unexplained = []  # (seed, what differs, text)
        self.rcodes = collections.Counter()  # of steerd: what the questions were like

    def add(self, other):
        self.asked += other.asked
        self.counts.update(other.counts)
        self.rcodes.update(other.rcodes)
        self.unexplained += other.unexplained


def ask_four(pool, ports, asked):
    futures = {name: pool.submit(asking.ask_all, port, asked) for name, port in ports.items()}
    replies = {}
    for name, future in futures.items():
        try:
            replies[name] = future.result()
        except asking.Gone:
            if name == "steerd":
                raise AssertionError("steerd answers no more") from None
            replies[name] = None
    return replies


def check(replies):
    hung = [name for name in NAMES if replies[name] is None]
    if hung:
        raise Hung(", ".join(hung))


def over_tcp(question):
    again = copy.copy(question)
    again.tcp = True
    return again


def cases_of(ports, zones, asked):
    with concurrent.futures.ThreadPoolExecutor(len(NAMES)) as pool:
        replies = ask_four(pool, ports, asked)
        check(replies)
        cut = [i for i, q in enumerate(asked) if not q.tcp and not (q.edns and q.edns[1]) and any(
            replies[name][i] and replies[name][i][2] & 2 for name in NAMES)]
        again = ask_four(pool, ports, [over_tcp(asked[i]) for i in cut])
        check(again)
    seconds = {i: {name: again[name][n] for name in NAMES} for n, i in enumerate(cut)}
    return [Case(question, zones, {name: replies[name][i] for name in NAMES}, seconds.get(i))
            for i, question in enumerate(asked)]


def judge(case, counts):
    """What is unexplained."""
    additional.explain(case, counts)
    odd_messages.explain(case, counts)
    truncation.explain(case, counts)
    differences.explain(case, counts)
    return case.unexplained()


def run(seed, count):
    """Zones and questions of one seed."""
    result = Result()
    zones = random_zones.make(seed)
    asker = questions.Asker(seed, zones)
    asked = [asker.next() for _ in range(count)]
    with tempfile.TemporaryDirectory(prefix="differential-zones-") as folder:
        files = []
        for zone in zones.zones:
            path = pathlib.Path(folder) / zone.file
            path.write_text(zone.text())
            files.append((model.text_of(zone.apex), str(path)))
        try:
            with Four(files) as four:
                cases = cases_of(four.ports(), zones, asked)
        except Hung as hung:
            # Knot 3.2 does so with some zones (seed 3: an MX question, and its thread spins for ever).
            print(f"seed {seed}: {hung} answers no more; the round is left out", file=sys.stderr)
            return result
    for case in cases:
        result.asked += 1
        result.rcodes[case.words["steerd"]] += 1
        left = judge(case, result.counts)
        if left:
            result.unexplained.append((seed, left, case))
    return result
