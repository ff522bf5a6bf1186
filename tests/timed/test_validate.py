"""`steerd drill --validate`: Unbound, BIND, Knot Resolver, PowerDNS Recursor and dnsmasq as caches
before the live server, all side by side. Each must live, change and be stale as the simulated cache
and the closed form say, within the bounds; one that is not installed is a failure here."""
import json
import os
import pathlib
import re
import signal
import subprocess
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

PROGRAMS = {"unbound", "named", "kresd", "pdns_recursor", "dnsmasq"}
RESOLVERS = ["Unbound", "BIND", "Knot Resolver", "PowerDNS Recursor", "dnsmasq"]


def running_in(session):
    """The names of processes that still run in a session: all that a drill starts stay in its own."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        if process.name.isdigit() and int(process.name) != session:
            try:
                name, fields = re.match(r"\d+ \((.*)\) (.*)", (process / "stat").read_text()).groups()
            except OSError:
                continue  # gone
            state, _, _, its_session = fields.split()[:4]
            if int(its_session) == session and state != "Z":
                found.append(name)
    return found


class Scene:
    """A folder with configuration and scenario, and a directory for temporary files of its own."""

    def __init__(self, config=CONFIG):
        self.temporary_folder = tempfile.TemporaryDirectory(prefix="steerd-test-")
        self.folder = pathlib.Path(self.temporary_folder.name)
        (self.folder / "steerd.toml").write_text(config)
        (self.folder / "zone").write_text(t.zone_text("drill.test."))
        (self.folder / "s.toml").write_text(SCENARIO)
        (self.folder / "tmp").mkdir()
        self.output = open(self.folder / "output", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [t.STEERD, "drill", str(self.folder / "s.toml"), "--validate", "--json",
             str(self.folder / "out.json"), "--html", str(self.folder / "out.html")],
            stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "TMPDIR": str(self.folder / "tmp")})

    def text(self):
        return (self.folder / "output").read_text()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()
        self.temporary_folder.cleanup()


class Validate(unittest.TestCase):
    def begin(self, config=CONFIG):
        scene = Scene(config)
        self.addCleanup(scene.close)
        return scene

    def left(self, scene):
        return list((scene.folder / "tmp").iterdir()), running_in(scene.process.pid)

    def test_real_resolvers_do_what_the_simulation_does(self):
        began = time.monotonic()
        scene = self.begin()
        status = scene.process.wait(300)
        took = time.monotonic() - began
        text = scene.text()
        print(text[text.find("real resolvers"):], f"took {took:.0f} s", file=sys.stderr)
        self.assertEqual(status, 0, text)
        report = json.loads((scene.folder / "out.json").read_text())
        page = (scene.folder / "out.html").read_text()
        self.assertEqual(([], []), self.left(scene))
        self.check(report)
        for resolver in RESOLVERS:
            self.assertIn(f"Share of old answers from {resolver} in the seconds", page)
        self.assertNotIn("<script", page)
        self.assertLessEqual(took, 120)

    def test_ctrl_c_leaves_nothing(self):
        scene = self.begin()
        try:
            t.wait_until(lambda: PROGRAMS <= set(running_in(scene.process.pid)), 60,
                         "the resolvers run")
        except AssertionError as late:
            raise AssertionError(f"{late}; {running_in(scene.process.pid)} do, status "
                                 f"{scene.process.poll()}: {scene.text()}") from late
        os.killpg(scene.process.pid, signal.SIGINT)
        self.assertEqual(130, scene.process.wait(20), scene.text())
        self.assertEqual(([], []), self.left(scene))
        self.assertFalse((scene.folder / "out.json").exists())

    def test_too_small_a_share_is_told_at_once(self):
        config = CONFIG.replace('policy = "failover"\nmembers = ["tokyo", "virginia"]',
                                'policy = "weighted"\nmembers = [{ to = "tokyo", weight = 5 }, '
                                '{ to = "virginia", weight = 95 }]')
        self.assertNotEqual(config, CONFIG)
        scene = self.begin(config)
        self.assertEqual(1, scene.process.wait(60))
        self.assertRegex(scene.text(), "tokyo is in .* % of the answers to this client: [0-9]+ names")
        self.assertEqual(([], []), self.left(scene))

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
