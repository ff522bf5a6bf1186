"""`steerd drill --validate`: Unbound, BIND, Knot Resolver, PowerDNS Recursor and dnsmasq as caches
before the live server, all side by side. Each must live, change and be stale as the simulated cache
and the closed form say, within the bounds; one that is not installed is a failure here."""
import json
import os
import pathlib
import sys
import tempfile
import time
import unittest

import steerd_test as t

CONFIG = """
[server]
listen = ["127.0.0.1:0"]
[probes.web]
type = "http"
port = 8080
path = "/health"
interval = "1s"
timeout = "500ms"
fast_interval = "250ms"
[endpoints.tokyo]
addresses = ["192.0.2.10"]
probes = ["web"]
[endpoints.virginia]
addresses = ["198.51.100.10"]
probes = ["web"]
[routes.www]
policy = "failover"
members = ["tokyo", "virginia"]
[zones."drill.test"]
file = "zone"
[zones."drill.test".steer]
"www" = { route = "www", ttl = "60s", ttl_min = "1s" }
"""

SCENARIO = """
[drill]
config = "steerd.toml"
name = "www.drill.test"
duration = "5m"
seed = 7
[[resolvers]]
name = "honest"
share = 1.0
[[demand]]
network = "203.0.113.0/24"
resolvers = 100
queries_per_second = 100
[[events]]
at = "1m"
do = "kill"
target = "tokyo"
"""

RESOLVERS = ["Unbound", "BIND", "Knot Resolver", "PowerDNS Recursor", "dnsmasq"]


def children_of(folder):
    """Processes that still run in a folder of the drill."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if os.readlink(process / "cwd").startswith(str(folder)):
                    found.append(process.name)
            except OSError:
                pass  # gone, or another's
    return found


class Validate(unittest.TestCase):
    def test_real_resolvers_do_what_the_simulation_does(self):
        with tempfile.TemporaryDirectory(prefix="steerd-test-") as name:
            folder = pathlib.Path(name)
            (folder / "steerd.toml").write_text(CONFIG)
            (folder / "zone").write_text(t.zone_text("drill.test."))
            (folder / "s.toml").write_text(SCENARIO)
            (folder / "tmp").mkdir()
            os.environ["TMPDIR"] = str(folder / "tmp")
            began = time.monotonic()
            done = t.run_steerd("drill", str(folder / "s.toml"), "--validate", "--json",
                                str(folder / "out.json"), "--html", str(folder / "out.html"),
                                timeout=300)
            took = time.monotonic() - began
            print(done.stdout[done.stdout.index("real resolvers"):], f"took {took:.0f} s",
                  file=sys.stderr)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            report = json.loads((folder / "out.json").read_text())
            page = (folder / "out.html").read_text()
            self.assertEqual(list((folder / "tmp").iterdir()), [])
            self.assertEqual(children_of(folder), [])
        self.check(report)
        for resolver in RESOLVERS:
            self.assertIn(f"Share of old answers from {resolver} in the seconds", page)
        self.assertNotIn("<script", page)
        self.assertLessEqual(took, 130)

    def check(self, report):
        run = report["validation_run"]
        self.assertEqual(run["missing"], [])
        self.assertTrue(run["ok"])
        # A long TTL is shortened for this, and said so.
        self.assertEqual((run["configured_ttl_s"], run["ttl_s"]), (60, 10))
        self.assertTrue(any("TTL of 10 s instead of 60 s" in note for note in run["notes"]))
        # Killed on a random phase: interval + (fall - 1) x fast_interval, and the publication.
        self.assertGreater(run["switch_s"], 0.4)
        self.assertLess(run["switch_s"], 2.2)
        self.assertEqual([r["name"] for r in report["validation"]], RESOLVERS)
        for r in report["validation"]:
            with self.subTest(r["name"]):
                self.assertTrue(r["version"][0].isdigit())
                self.assertGreaterEqual(r["names_changed"], 200)
                self.assertGreaterEqual(r["logged_fetches"], 2 * r["names_changed"])
                self.assertLessEqual(r["lifetime_error_s"], 0.1)
                self.assertLessEqual(r["change_error_s"], 1)
                self.assertLessEqual(r["ks"], r["ks_critical"])
                self.assertAlmostEqual(r["ks_critical"], 1.63 / r["names_changed"] ** 0.5, 4)
                self.assertEqual(r["complaints"], [])
                # The three curves tell one story.
                theory = {p["t_s"]: p["old"] for p in r["closed_form"]}
                for point in r["simulation"]:
                    self.assertAlmostEqual(point["old"], theory[point["t_s"]], delta=0.03)
                self.assertGreater(len(r["curve"]), 15)


if __name__ == "__main__":
    t.main()
