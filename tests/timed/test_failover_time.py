"""Failover by real probes: twenty endpoints for each way to die, side by side, each on a phase of
its own. Every one must be out of the answers within what `steerd check` promised (and no later
than 0.3 s after), and back within (rise + 1) x interval + 0.3 s."""
import json
import signal
import socket
import sys
import threading
import time
import unittest

import dns.message
import dns.rdatatype

import steerd_test as t

COUNT = 20
INTERVAL, RISE = 1.0, 2
WAYS = ("kill", "freeze", "slow", "status", "body")


def address(way, i):
    return f"127.0.{20 + WAYS.index(way)}.{i + 1}"


SPARE = "127.0.30.1"


def config(ports):
    out = ['[server]\nlisten = ["127.0.0.1:0"]\nworkers = 1\nstate_dir = "state"\n']
    for way in WAYS:
        out.append(f"""
[probes.{way}]
type = "http"
port = {ports[way]}
path = "/health"
expect_body = "ok"
interval = "1s"
timeout = "500ms"
fast_interval = "250ms"
fall = 3
rise = {RISE}
""")
    out.append(f'[endpoints.spare]\naddresses = ["{SPARE}"]\n')
    steer = []
    for way in WAYS:
        for i in range(COUNT):
            name = f"{way}-{i}"
            out.append(f'[endpoints.{name}]\naddresses = ["{address(way, i)}"]\nprobes = ["{way}"]\n'
                       f'[routes.r-{name}]\npolicy = "failover"\nmembers = ["{name}", "spare"]\n')
            steer.append(f'"{name}" = {{ route = "r-{name}", ttl = "5s", ttl_min = "1s" }}\n')
    out.append('[zones."example.com"]\nfile = "example.com.zone"\n[zones."example.com".steer]\n')
    return "".join(out + steer)


class Watcher:
    """Asks for all names of a group again and again and notes when each answer changed."""

    def __init__(self, port, way):
        self.names = [f"{way}-{i}.example.com." for i in range(COUNT)]
        self.queries = [dns.message.make_query(n, "A").to_wire() for n in self.names]
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(2)
        self.socket.connect(("127.0.0.1", port))
        self.want = [socket.inet_aton(address(way, i)) for i in range(COUNT)]

    def on_it(self, i):
        """Whether the answer for name i still names its own endpoint."""
        self.socket.send(self.queries[i])
        while True:
            answer = self.socket.recv(2048)
            if answer[:2] == self.queries[i][:2]:
                return answer.endswith(self.want[i]) or self.want[i] in answer[12:]

    def until_all(self, state, seconds):
        """For each name the time at which it was first seen in the state (True: on its endpoint)."""
        seen = [None] * COUNT
        deadline = time.monotonic() + seconds
        while None in seen and time.monotonic() < deadline:
            for i in range(COUNT):
                if seen[i] is None and self.on_it(i) == state:
                    seen[i] = time.monotonic()
            time.sleep(0.005)
        return seen

    def close(self):
        self.socket.close()


class FailoverTime(unittest.TestCase):
    def test_every_way_to_die_is_noticed_in_time_twenty_of_twenty(self):
        sites = {way: t.Sites([address(way, i) for i in range(COUNT)]) for way in WAYS}
        try:
            self.run_with(sites)
        finally:
            for site in sites.values():
                site.__exit__()

    def run_with(self, sites):
        ports = {way: site.port for way, site in sites.items()}
        with t.Steerd(config(ports), {"example.com.zone": t.zone_text()}) as steerd:
            checked = json.loads(t.run_steerd("check", "--json", "-c",
                                              str(steerd.folder / "steerd.toml")).stdout)
            terms = checked["names"][0]["terms"]
            promised = terms["detect_s"] + terms["publish_s"]
            self.assertAlmostEqual(promised, 1 + 2 * 0.5 + 0.5 + 0.1)
            threads, results = [], {}
            for n, way in enumerate(WAYS):
                # The groups break one after the other, so that each meets other phases.
                threads.append(threading.Thread(target=self.drill, args=(
                    way, sites[way], steerd.port, 0.17 * n, results)))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for way in WAYS:
            gone, back = results[way]
            print(f"{way:7} out after {min(gone):.2f} .. {max(gone):.2f} s (promised {promised:.2f}), "
                  f"back after {min(back):.2f} .. {max(back):.2f} s", file=sys.stderr)
            self.assertEqual(len(gone), COUNT)
            self.assertLessEqual(max(gone), promised + 0.3, way)
            self.assertLessEqual(max(back), (RISE + 1) * INTERVAL + 0.3, way)
            if way in ("freeze", "slow"):
                # The promise is not padded: the slowest of twenty comes close to it.
                self.assertGreaterEqual(max(gone), promised - INTERVAL / 2, way)

    def drill(self, way, site, port, delay, results):
        watcher = Watcher(port, way)
        assert all(x is not None for x in watcher.until_all(True, 10)), "all up at the start"
        time.sleep(delay)  # spreads the groups over the interval; nothing waits for it
        broken_at = time.monotonic()
        {"kill": site.kill, "freeze": lambda: site.signal(signal.SIGSTOP),
         "slow": lambda: site.order("slow 2"), "status": lambda: site.order("status 503"),
         "body": lambda: site.order("body wrong")}[way]()
        gone = [x - broken_at for x in watcher.until_all(False, 10) if x is not None]
        mended_at = time.monotonic()
        {"kill": site.start, "freeze": lambda: site.signal(signal.SIGCONT)}.get(
            way, lambda: site.order("ok"))()
        if way == "kill":
            mended_at = time.monotonic()  # starting the process takes a moment of its own
        back = [x - mended_at for x in watcher.until_all(True, 10) if x is not None]
        watcher.close()
        assert len(back) == COUNT, f"{way}: only {len(back)} came back"
        results[way] = (gone, back)


if __name__ == "__main__":
    t.main()
