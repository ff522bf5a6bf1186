"""One round: zones, four servers, questions, comparison. What was truncated over UDP is asked again over
TCP, and both answers are held against each other and against the limit."""
import collections
import concurrent.futures
import copy
import pathlib
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
    return {name: future.result() for name, future in futures.items()}


def over_tcp(question):
    again = copy.copy(question)
    again.tcp = True
    return again


def cases_of(ports, zones, asked):
    with concurrent.futures.ThreadPoolExecutor(len(NAMES)) as pool:
        replies = ask_four(pool, ports, asked)
        cut = [i for i, q in enumerate(asked) if not q.tcp and not (q.edns and q.edns[1]) and any(
            replies[name][i] and replies[name][i][2] & 2 for name in NAMES)]
        again = ask_four(pool, ports, [over_tcp(asked[i]) for i in cut])
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
        with Four(files) as four:
            cases = cases_of(four.ports(), zones, asked)
    for case in cases:
        result.asked += 1
        result.rcodes[case.words["steerd"]] += 1
        left = judge(case, result.counts)
        if left:
            result.unexplained.append((seed, left, case))
    return result
