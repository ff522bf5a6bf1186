"""Live drills: the real server, real endpoints and real questions. All run side by side, since each
takes as long as its scenario says. What is held: the server notices within the drill formula's
bounds, answers move, the report says what happened, and whatever ends a drill leaves nothing."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import unittest

from steerd_test import SOURCE, STEERD, wait_until, zone_text

INTERVAL, TIMEOUT, FAST, FALL, RISE = 1.0, 0.5, 0.3, 2, 2
SLACK = 0.3
CONFIG = f"""[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
workers = 1
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
[probes.web]
type = "https"
port = 443
path = "/health"
expect_status = ["204"]
interval = "{INTERVAL}s"
timeout = "{TIMEOUT}s"
fast_interval = "{FAST}s"
slow_after = "150ms"
fall = {FALL}
rise = {RISE}
[probes.deep]
type = "exec"
command = ["/bin/false"]
interval = "1s"
[endpoints.tokyo]
region = "tokyo"
addresses = ["192.0.2.10", "2001:db8::10"]
probes = ["web"]
[endpoints.virginia]
region = "virginia"
addresses = ["198.51.100.10", "2001:db8:1::10"]
probes = ["web"]
[endpoints.canary]
region = "virginia"
addresses = ["198.51.100.99"]
probes = ["web"]
[endpoints.sorry]
cname = "sorry.example.net."
probes = ["deep"]
[routes.www]
policy = "latency"
members = ["tokyo", "virginia"]
[routes.split]
policy = "weighted"
members = [{{ to = "virginia", weight = 70 }}, {{ to = "canary", weight = 30 }}]
[routes.safe]
policy = "failover"
members = ["tokyo", "sorry"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = {{ route = "www", ttl = "2s" }}
"split" = {{ route = "split", ttl = "1s" }}
"safe" = {{ route = "safe", ttl = "2s" }}
"""

# Those near Tokyo are steered to it by their coordinates, which the server gets as networks.
CLIENTS = """
[[resolvers]]
name = "honest"
share = 0.9
lifetime = "floor"
[[resolvers]]
name = "browsers"
share = 0.1
client_hold = "3s"
[[demand]]
place = "country:JP"
location = [35.6, 139.7]
resolvers = 120
queries_per_second = 1200
[[demand]]
place = "country:US"
location = [38.9, -77.4]
resolvers = 80
queries_per_second = 800
"""


def event(at, do, target, **more):
    words = "".join(f"{key} = {json.dumps(value)}\n" for key, value in more.items())
    return f'[[events]]\nat = "{at}s"\ndo = "{do}"\ntarget = "{target}"\n{words}'


class Drill:
    """A live drill under way, with a folder and a directory for temporary files of its own."""

    def __init__(self, events, name="www", duration=10, tail="", config=CONFIG,
                 scenario=None):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="steerd-live-"))
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        (self.folder / "steerd.toml").write_text(config)
        (self.folder / "example.com.zone").write_text(zone_text())
        (self.folder / "drill.toml").write_text(
            scenario or f'[drill]\nconfig = "steerd.toml"\nname = "{name}.example.com"\n'
            f'duration = "{duration}s"\nseed = 7\n{CLIENTS}{"".join(events)}{tail}')
        self.start(self.folder / "drill.toml")

    def start(self, scenario):
        self.output = open(self.folder / "output", "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            [STEERD, "drill", str(scenario), "--live", "--json", str(self.folder / "report.json"),
             "--html", str(self.folder / "report.html")],
            stdout=self.output, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, "TMPDIR": str(self.temporary)})

    def text(self):
        return (self.folder / "output").read_text()

    def finish(self, seconds=90):
        """The report; fails when there is none."""
        self.status = self.process.wait(seconds)
        if not (self.folder / "report.json").exists():
            raise AssertionError(f"status {self.status}\n{self.text()}")
        return json.loads((self.folder / "report.json").read_text())

    def processes(self):
        """Of this drill, with their states: it is told by its temporary directory."""
        mark = f"TMPDIR={self.temporary}".encode()
        found = {}
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if mark in (entry / "environ").read_bytes().split(b"\0"):
                    state = re.search(r"^State:\s+(\S)", (entry / "status").read_text(), re.M)
                    if state.group(1) != "Z":
                        found[int(entry.name)] = state.group(1)
            except OSError:
                continue
        return found

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.output.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def shortened(name, duration, moments):
    """A shipped scenario with its events moved to `moments`, and without its expectations."""
    text = (SOURCE / "examples/drills" / f"{name}.toml").read_text()
    text = text.split("[expect]")[0]
    text = re.sub(r'(?m)^duration\s*=.*$', f'duration = "{duration}s"', text)
    moments = iter(moments)
    return re.sub(r'(?m)^at\s*=.*$', lambda _: f'at = "{next(moments)}s"', text)


class LiveDrills(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.drills = {
            "kill": Drill([event(2, "kill", "region:tokyo"), event(10, "recover", "region:tokyo")],
                          duration=14, tail='[expect]\ndetect = "<= 1ms"\n'),
            "freeze": Drill([event(2, "blackhole", "tokyo"), event(10, "recover", "tokyo")],
                            duration=14, tail='[expect]\ndetect = "<= 5s"\n'),
            "drain": Drill([event(2, "drain", "tokyo"), event(8, "release", "tokyo")],
                           duration=13),
            "slow": Drill([event(2, "slow", "tokyo", delay="250ms"), event(6, "recover", "tokyo"),
                           event(7, "slow", "virginia", delay="2s")], duration=12),
            "gray": Drill([event(2, "gray", "canary", fail=0.8, delay="10ms")], name="split"),
            "weight": Drill([event(3, "weight", "canary", route="split", weight=0)], name="split"),
            "flap": Drill([event(2, "flap", "tokyo", period="4s", duty=0.5)], duration=10),
            "partition": Drill([event(2, "partition", "tokyo"), event(7, "recover", "tokyo")],
                               name="safe", duration=11),
            "server": Drill([event(2, "kill", "server"), event(3, "recover", "server"),
                             event(9, "hang", "server"), event(11, "recover", "server")],
                            duration=14),
        }
        cls.drills["example"] = Drill(
            [], config=(SOURCE / "examples/drills/steerd.toml").read_text(),
            scenario=shortened("tokyo-outage", 15, [3, 14]))
        cls.reports = {name: drill.finish() for name, drill in cls.drills.items()}

    @classmethod
    def tearDownClass(cls):
        for drill in cls.drills.values():
            drill.close()

    def first(self, name):
        report = self.reports[name]
        self.assertEqual("live", report["mode"])
        return report["events"][0]

    def check_detect(self, name, takes):
        """The drill formula, for any phase of the check."""
        least = (FALL - 1) * max(FAST, takes) + takes
        detect = self.first(name)["detect_s"]
        self.assertIsNotNone(detect, self.drills[name].text())
        self.assertGreaterEqual(detect, least - SLACK)
        self.assertLessEqual(detect, least + INTERVAL + SLACK)

    def check_moved(self, name):
        first = self.first(name)
        self.assertIsNotNone(first["switch_s"], self.drills[name].text())
        self.assertLessEqual(first["detect_s"], first["switch_s"] + 0.05)
        self.assertLessEqual(first["switch_s"], first["detect_s"] + 0.5)
        # Honest caches let go within their TTL (2 s, whole seconds), browsers 3 s later.
        honest = first["by_class"]["honest"]["p99"]
        self.assertLessEqual(honest, first["switch_s"] + 2 + SLACK)
        self.assertGreater(first["clients_moved_s"]["p50"], first["switch_s"])
        self.assertLessEqual(first["clients_moved_s"]["p99"], first["switch_s"] + 5 + SLACK)

    def check_back(self, name):
        """Found up again within the bound, and answers are as they were."""
        recovery = self.reports[name]["events"][1]
        self.assertEqual("recover", recovery["do"])
        self.assertIsNotNone(recovery["detect_s"], self.drills[name].text())
        self.assertLessEqual(recovery["detect_s"], (RISE + 1) * INTERVAL + SLACK)
        self.assertEqual(2, self.reports[name]["switches"])

    def test_killed_endpoint_is_noticed_in_time(self):
        self.check_detect("kill", 0)
        self.check_moved("kill")
        self.check_back("kill")

    def test_frozen_endpoint_is_noticed_in_time(self):
        self.check_detect("freeze", TIMEOUT)
        self.check_moved("freeze")
        self.check_back("freeze")

    def test_expectations_decide_the_exit_status(self):
        self.assertEqual(1, self.drills["kill"].status)
        self.assertEqual(0, self.drills["freeze"].status)
        self.assertFalse(self.reports["kill"]["expect"][0]["ok"])

    def test_report_names_what_was_replaced(self):
        text = re.sub(r"\s+", " ", self.drills["kill"].text())
        for words in ("Probe web is http instead of https", "Probe deep is tcp instead of exec",
                      "for sorry.example.net", "2001:db8::10", "tokyo at 127.", "live time"):
            self.assertIn(words, text)
        page = (self.drills["kill"].folder / "report.html").read_text()
        self.assertIn("Probe web is http instead of https", page)

    def test_drain_is_an_order(self):
        # In force when the command returns, seen at the monitor's next question.
        for event in self.reports["drain"]["events"]:
            self.assertIsNotNone(event["detect_s"], self.drills["drain"].text())
            self.assertLessEqual(event["detect_s"], SLACK)
            self.assertIsNotNone(event["switch_s"], self.drills["drain"].text())
            self.assertLessEqual(event["switch_s"], SLACK)
        first = self.first("drain")
        self.assertEqual(0, first["requests_lost"])
        self.assertLessEqual(first["by_class"]["honest"]["p99"], 2 + 2 * SLACK)
        self.assertEqual(2, self.reports["drain"]["switches"])
        self.assertNotIn("refused", self.drills["drain"].text())

    def test_slow_endpoint_is_degraded_then_dead_beyond_the_timeout(self):
        events = self.reports["slow"]["events"]
        self.assertEqual(0, events[0]["requests_lost"])
        self.assertIsNotNone(events[0]["detect_s"], self.drills["slow"].text())
        self.assertLessEqual(events[0]["switch_s"], INTERVAL + FAST + 0.25 * 2 + 2 * SLACK)
        self.assertGreater(events[2]["requests_lost"], 0)

    def test_gray_endpoint_loses_a_share(self):
        first = self.first("gray")
        self.assertGreater(first["requests_lost"], 0)
        self.assertIsNotNone(first["detect_s"], self.drills["gray"].text())

    def test_weight_takes_a_reload(self):
        first = self.first("weight")
        self.assertIsNotNone(first["switch_s"], self.drills["weight"].text())
        load = self.reports["weight"]["load"]
        self.assertGreater(load["canary"]["before_qps"], 300)
        self.assertLess(load["canary"]["before_qps"], 900)
        self.assertEqual(1, self.reports["weight"]["switches"])

    def test_flapping_endpoint_comes_and_goes(self):
        self.assertGreaterEqual(self.reports["flap"]["switches"], 2, self.drills["flap"].text())

    def test_partition_cuts_off_probes_alone(self):
        self.check_detect("partition", TIMEOUT)
        self.assertEqual(0, self.first("partition")["requests_lost"])
        self.check_back("partition")

    def test_server_comes_back_with_its_health(self):
        report = self.reports["server"]
        self.assertIsNotNone(report["events"][1]["detect_s"], self.drills["server"].text())
        self.assertGreater(report["events"][0]["requests_lost"], 0)
        self.assertEqual(0, report["switches"])

    def test_shipped_scenario_runs_live(self):
        first = self.first("example")
        self.assertLessEqual(first["detect_s"], 5 + 2 * 1 + SLACK, self.drills["example"].text())
        self.assertGreater(first["requests_lost"], 0)
        self.assertIn("2000 live caches stand for 13000", re.sub(
            r"\s+", " ", self.drills["example"].text()))

    def test_nothing_is_left(self):
        for name, drill in self.drills.items():
            self.assertEqual({}, drill.processes(), name)
            self.assertEqual([], list(drill.temporary.iterdir()), name)


class BrokenOff(unittest.TestCase):
    def begin(self):
        drill = Drill([event(1, "blackhole", "tokyo"), event(2, "kill", "virginia")], duration=60)
        self.addCleanup(drill.close)
        wait_until(lambda: len(drill.processes()) >= 5, 60, "server and endpoints run")
        return drill

    def test_signals_end_everything(self):
        drills = {number: self.begin() for number in (signal.SIGINT, signal.SIGTERM)}
        for drill in drills.values():
            wait_until(lambda d=drill: "T" in d.processes().values(), 60, "an endpoint is stopped")
        for number, drill in drills.items():
            os.killpg(drill.process.pid, number)
            self.assertEqual(128 + number, drill.process.wait(20))
            self.assertIn("interrupted", drill.text())
            self.assertEqual({}, drill.processes())
            self.assertEqual([], list(drill.temporary.iterdir()))
            self.assertFalse((drill.folder / "report.json").exists())

    def test_nothing_outlives_a_kill(self):
        drill = self.begin()
        drill.process.kill()
        drill.process.wait()
        wait_until(lambda: not drill.processes(), 10, "all processes are gone")
        left = list(drill.temporary.iterdir())
        self.assertEqual(1, len(left))
        drill.output.close()
        drill.start(drill.folder / "drill.toml")  # the next drill clears up
        wait_until(lambda: not left[0].exists(), 60, "its directory is gone")
        os.killpg(drill.process.pid, signal.SIGINT)
        self.assertEqual(130, drill.process.wait(20))
        self.assertEqual([], list(drill.temporary.iterdir()))


class Refused(unittest.TestCase):
    def test_endpoint_without_the_asked_family(self):
        config = CONFIG.replace('addresses = ["198.51.100.10", "2001:db8:1::10"]',
                                'addresses = ["2001:db8:1::10"]')
        drill = Drill([event(1, "kill", "tokyo")], duration=5, config=config)
        self.addCleanup(drill.close)
        self.assertEqual(1, drill.process.wait(60))
        self.assertRegex(drill.text(), r"steerd\.toml:\d+:\d+: error: endpoint virginia has no IPv4")

    def test_usage(self):
        done = subprocess.run([STEERD, "drill", "x.toml", "--live", "--sweep", "ttl=5s"],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(2, done.returncode)


if __name__ == "__main__":
    unittest.main()
