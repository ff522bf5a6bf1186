"""steerd drill as people and pipelines meet it: the scenarios that ship, the three reports, exit
statuses, problems, the same bytes for any number of threads."""
import html.parser
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

STEERD = os.environ["STEERD_BINARY"]
SOURCE = pathlib.Path(os.environ["STEERD_SOURCE_DIR"])
DRILLS = SOURCE / "examples/drills"
SHIPPED = ["tokyo-outage", "gray-failure", "flapping", "canary-rollback", "ttl-comparison",
           "total-outage", "planned-drain", "prober-partition"]
VOID = {"meta", "br", "hr", "img", "link", "input"}

QUIET = """[drill]
config = "steerd.toml"
name = "www.example.com"
duration = "24h"
[[demand]]
place = "country:JP"
resolvers = 10
queries_per_second = 20
[[demand]]
place = "country:US"
resolvers = 10
queries_per_second = 20
[expect]
switches = "<= 0"
"""


class Page(html.parser.HTMLParser):
    """Counts elements and sees that every one is closed."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes, self.text = [], {}, [], []

    def handle_starttag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen[tag] = self.seen.get(tag, 0) + 1
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open[-3:])
        self.open.pop()

    def handle_data(self, data):
        self.text.append(data)


class Drill(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="steerd-drill-"))
        self.addCleanup(shutil.rmtree, self.folder)
        for file in [*DRILLS.glob("*.toml"), *DRILLS.glob("*.zone")]:
            shutil.copy(file, self.folder)

    def run_drill(self, scenario, *words, status=0):
        """The JSON report; the rest is left in self.done and self.page."""
        json_file, html_file = self.folder / "out.json", self.folder / "out.html"
        for file in (json_file, html_file):
            file.unlink(missing_ok=True)
        self.done = subprocess.run(
            [STEERD, "drill", str(scenario), "--json", str(json_file), "--html", str(html_file), *words],
            cwd=self.folder, capture_output=True, text=True, timeout=120)
        self.assertEqual(self.done.returncode, status, self.done.stdout + self.done.stderr)
        if not json_file.exists():
            return None
        self.bytes = json_file.read_bytes()
        self.page = html_file.read_text()
        return json.loads(self.bytes)

    def edit(self, name, *changes):
        path = self.folder / name
        text = path.read_text()
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        path.write_text(text)

    def check_page(self):
        page = Page()
        page.feed(self.page)
        page.close()
        self.assertEqual(page.open, [])
        self.assertNotIn("script", page.seen)
        self.assertGreaterEqual(page.seen.get("svg", 0), 3)
        for name, value in page.attributes:
            self.assertNotIn(name, ("src", "href", "onload", "onclick"))
            self.assertNotIn("//", value or "")
        self.assertNotIn("@import", self.page)
        self.assertNotIn("url(", self.page)
        for media in ("prefers-color-scheme:dark", "@media print"):
            self.assertIn(media, self.page)
        self.assertNotRegex(self.page, r"\b(nan|inf)\b")
        return "".join(page.text)

    def test_every_shipped_scenario_holds_what_it_expects(self):
        for name in SHIPPED:
            with self.subTest(name):
                report = self.run_drill(DRILLS / f"{name}.toml")
                self.assertEqual(report["mode"], "virtual")
                self.assertTrue(report["expect"])
                self.assertTrue(all(line["ok"] for line in report["expect"]))
                self.assertTrue(report["assumptions"])
                text = self.check_page()
                for event in report["events"]:
                    self.assertIn(f'{event["do"]} of {event["target"]}', text)
                    self.assertIn(f'{event["do"]} of {event["target"]}', self.done.stdout)

    def test_json_has_the_shape_it_is_promised(self):
        report = self.run_drill("tokyo-outage.toml")
        self.assertEqual(report["seed"], 7)
        kill, recover = report["events"]
        self.assertEqual((kill["at_s"], kill["do"], kill["target"]), (300, "kill", "region:tokyo"))
        self.assertEqual(set(kill["clients_moved_s"]), {"p50", "p90", "p95", "p99"})
        self.assertEqual(kill["residual"], {"15m": None, "1h": None, "1d": None})
        self.assertEqual(set(kill["by_class"]), {"honest", "floor-5m", "browsers"})
        self.assertEqual(recover["do"], "recover")
        # 5 s of phase + 2 x 1 s; honest caches of 30 s after that, less a whole second.
        self.assertLessEqual(kill["detect_s"], 7.001)
        self.assertLessEqual(kill["switch_s"], kill["detect_s"] + 0.3)
        self.assertLessEqual(kill["by_class"]["honest"]["p99"], kill["switch_s"] + 30)
        self.assertGreaterEqual(kill["by_class"]["floor-5m"]["p99"], 250)
        self.assertEqual(kill["requests"], 170000 * 600)
        lost = kill["requests_lost"]
        self.assertAlmostEqual(kill["error_seconds_per_client"], lost / 50000, delta=0.5)
        self.assertAlmostEqual(report["load"]["tokyo"]["before_qps"], 50000, delta=500)
        # Which of the two is next for them is the estimates' business; all of them go to one.
        gained = sorted(sum(load["peak_qps"] - load["before_qps"] for name, load in report["load"].items()
                            if name.startswith(region)) for region in ("frankfurt", "virginia"))
        self.assertLess(gained[0], 2500)
        self.assertAlmostEqual(gained[1], 50000, delta=2500)
        self.assertEqual(report["switches"], 2)
        self.assertGreater(report["authoritative_qps"]["before"], 0)
        self.assertGreater(report["authoritative_qps"]["after"], 0)
        by_time = {point["t_s"]: point["clients_on_dead"] for point in report["curve"]}
        self.assertAlmostEqual(max(by_time.values()), 50000 / 170000, delta=0.01)
        self.assertEqual(list(by_time), sorted(by_time))
        self.assertEqual(by_time[min(by_time)], 0)
        for line in report["expect"]:
            self.assertEqual(set(line) & {"key", "limit", "value", "ok"}, {"key", "limit", "value", "ok"})
        # Theory beside it, where it applies.
        theory = {point["t_s"]: point["clients_on_dead"] for point in report["closed_form"]}
        self.assertGreater(len(theory), 50)
        for moment, share in theory.items():
            self.assertAlmostEqual(by_time[moment], share, delta=0.01)

    def test_the_same_seed_gives_the_same_bytes_for_any_number_of_threads(self):
        self.run_drill("planned-drain.toml", "--threads", "1")
        one = self.bytes
        self.run_drill("planned-drain.toml", "--threads", "2")
        self.assertEqual(self.bytes, one)
        self.run_drill("planned-drain.toml", "--threads", "2", "--seed", "8")
        self.assertNotEqual(self.bytes, one)
        self.assertEqual(json.loads(self.bytes)["seed"], 8)

    def test_a_day_without_a_fault_has_no_switch_and_loses_nothing(self):
        (self.folder / "quiet.toml").write_text(QUIET)
        report = self.run_drill("quiet.toml")
        self.assertEqual(report["switches"], 0)
        self.assertEqual([r["requests_lost"] for r in report["regions"]], [0, 0])
        self.check_page()

    def test_the_pipeline_fails_when_someone_raises_the_ttl(self):
        self.run_drill("ci.toml")
        self.edit("steerd.toml", ('"api"    = { route = "www", ttl = "60s" }',
                                  '"api"    = { route = "www", ttl = "300s" }'))
        report = self.run_drill("ci.toml", status=1)
        verdicts = {line["key"]: line for line in report["expect"]}
        self.assertTrue(verdicts["detect"]["ok"])
        self.assertFalse(verdicts["clients_moved_p99"]["ok"])
        self.assertGreater(verdicts["clients_moved_p99"]["value"], 90)
        self.assertRegex(self.done.stdout, r"FAIL +clients_moved_p99 +<= 90s")
        self.assertIn("FAIL", self.check_page())
        self.assertIn("steerd drill examples/drills/ci.toml", (DRILLS / "workflow.yml").read_text())

    def test_what_never_happens_fails(self):
        self.edit("total-outage.toml", ('switches = "<= 12"', 'switch = "<= 1h"'))
        report = self.run_drill("total-outage.toml", status=1)
        self.assertEqual([(v["key"], v["value"], v["ok"]) for v in report["expect"]][1],
                         ("switch", None, False))

    def test_problems_come_all_at_once_and_nothing_is_written(self):
        self.edit("tokyo-outage.toml", ('target = "region:tokyo"', 'target = "region:tokio"'),
                  ("share    = 0.90", "share    = 0.80"), ("seed     = 7", "seedd    = 7"))
        self.edit("steerd.toml", ('interval      = "5s"', 'interval      = "5"'))
        self.assertIsNone(self.run_drill("tokyo-outage.toml", status=1))
        self.assertRegex(self.done.stderr, r'(?m)^steerd\.toml:\d+:\d+: error: interval')
        self.assertRegex(self.done.stderr, r'(?m)^tokyo-outage\.toml:\d+:1: error: unknown key "seedd"; did you mean "seed"')
        self.assertRegex(self.done.stderr, r'(?m)^tokyo-outage\.toml:\d+:\d+: error: shares .* add up to 1, they make 0\.9')
        self.edit("steerd.toml", ('interval      = "5"', 'interval      = "5s"'))
        self.assertIsNone(self.run_drill("tokyo-outage.toml", status=1))
        self.assertEqual(len(re.findall('no region "region:tokio"; did you mean "region:tokyo"', self.done.stderr)), 2)
        self.assertEqual(self.done.stdout, "")

    def test_the_servers_own_death_is_an_event(self):
        (self.folder / "server.toml").write_text(QUIET.split("[expect]")[0].replace("24h", "20m") + """
[[events]]
at = "5m"
do = "kill"
target = "server"
[[events]]
at = "7m"
do = "recover"
target = "server"
[expect]
lost_requests = "<= 100%"
""")
        report = self.run_drill("server.toml")
        kill = report["events"][0]
        self.assertEqual(kill["requests"], 40 * 120)
        self.assertGreater(kill["requests_lost"], 40 * 60, "caches of 30 s do not last for two minutes")
        self.assertEqual(set(kill["clients_moved_s"].values()), {None})
        self.assertEqual((kill["detect_s"], report["switches"]), (None, 0))
        self.check_page()

    def test_servfail_loses_what_nodata_loses(self):
        """An answer without an address is lost whatever its code, and error seconds, requests and
        regions say so alike."""
        for word in ("nodata", "servfail"):
            with self.subTest(word):
                shutil.copy(DRILLS / "steerd.toml", self.folder)
                self.edit("steerd.toml", ('ttl = "30s" }\n"quick"',
                                          f'ttl = "30s", when_all_down = "{word}" }}\n"quick"'))
                (self.folder / "all.toml").write_text(QUIET.split("[expect]")[0].replace("24h", "20m") + "".join(
                    f'[[events]]\nat = "5m"\ndo = "kill"\ntarget = "region:{region}"\n'
                    for region in ("tokyo", "frankfurt", "virginia")))
                report = self.run_drill("all.toml")
                demand = {"region:tokyo": 20, "region:virginia": 20}
                for event in report["events"]:
                    # 40 requests/s for 15 minutes; caches hold a dead address first, then nothing.
                    self.assertEqual(event["requests"], 36000)
                    if event["target"] in demand:
                        self.assertGreater(event["requests_lost"], 0.9 * 36000, event["target"])
                        self.assertAlmostEqual(event["error_seconds_per_client"],
                                               event["requests_lost"] / demand[event["target"]], delta=2)
                self.assertAlmostEqual(sum(r["requests_lost"] for r in report["regions"]), 36000, delta=400)

    def test_a_drain_moves_idle_caches_at_once(self):
        """Who was on it is read before the order holds, at the start of the drill too."""
        shared = QUIET.split("[expect]")[0].replace("24h", "20m").replace("per_second = 20", "per_second = 0.1")
        for at in ("0s", "5m"):
            (self.folder / "drain.toml").write_text(
                shared + f'[[events]]\nat = "{at}"\ndo = "drain"\ntarget = "tokyo"\n')
            report = self.run_drill("drain.toml")
            event = report["events"][0]
            self.assertAlmostEqual(event["share_on_it"], 0.5, delta=0.001)
            self.assertEqual((event["detect_s"], event["switch_s"], report["switches"]), (0, 0, 1))
            self.assertEqual(event["clients_moved_s"]["p50"] < 0.2, True)
            self.assertGreater(event["clients_moved_s"]["p90"], 10)
            self.assertEqual(report["authoritative_qps"]["before"] is None, at == "0s")
            self.check_page()

    def test_every_figure_of_the_page_is_explained_by_its_name(self):
        self.run_drill("tokyo-outage.toml")
        names = re.findall(r"<dt>([^<]+)</dt><dd>[^<]{20,}</dd>", self.page)
        for name in ("Detect", "Switch", "50, 90, 95, 99 % moved", "Left after 15m, 1h, 1d", "Lost",
                     "Errors per client", "Back after", "Flaps", "Clients on what is out", "Closed form",
                     "Load", "Queries at the server", "Round trips"):
            self.assertIn(name, names)

    def test_wrong_usage(self):
        for words in ([], ["a.toml", "b.toml"], ["ci.toml", "--threads", "0"], ["ci.toml", "--seed", "x"],
                      ["ci.toml", "--sweep", "ttl=x"], ["ci.toml", "--what"]):
            done = subprocess.run([STEERD, "drill", *words], cwd=self.folder, capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, done.stderr)
        done = subprocess.run([STEERD, "drill", "nowhere.toml"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nowhere.toml: error: cannot be opened", done.stderr)
        done = subprocess.run([STEERD, "drill", "ci.toml", "--json", "no/such/folder"], cwd=self.folder,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("cannot be written", done.stderr)

    def test_a_sweep_tells_what_each_choice_costs_and_buys(self):
        report = self.run_drill("ci.toml", "--sweep", "ttl=5s,60s interval=1s,5s ttl_min=0,1s")
        sweep = report["sweep"]
        self.assertEqual(len(sweep), 8)
        points = {(p["ttl_s"], p["interval_s"], p["ttl_min_s"]): p for p in sweep}
        self.assertGreater(points[5, 5, None]["authoritative_qps"], 4 * points[60, 5, None]["authoritative_qps"])
        self.assertLess(points[5, 5, None]["requests_lost"], points[60, 5, None]["requests_lost"])
        self.assertLess(points[60, 1, None]["detect_s"], 3.001)
        self.assertIn("timeout lowered to 1s", points[60, 1, None]["note"])
        self.assertLess(points[60, 5, 1]["clients_moved_s"]["p99"], points[60, 5, None]["clients_moved_s"]["p99"])
        self.assertTrue(any(p["pareto"] for p in sweep))
        self.assertFalse(points[60, 5, None]["pareto"], "a countdown costs nothing and is faster")
        self.assertIn("pareto", self.done.stdout)
        self.check_page()

    def test_a_countdown_hides_the_ttl_in_the_detection(self):
        """Residual after the switch at most 1 s when ttl <= (fall - 1) x max(fast_interval, d)."""
        self.edit("steerd.toml", ('fast_interval = "1s"', 'fast_interval = "5s"'),
                  ('"api"    = { route = "www", ttl = "60s" }', '"api"    = { route = "www", ttl = "10s" }'))
        report = self.run_drill("ci.toml", "--sweep", "ttl_min=0,1s")
        fixed, countdown = report["sweep"]
        self.assertGreater(fixed["clients_moved_s"]["p99"], fixed["switch_s"] + 8)
        self.assertLessEqual(countdown["clients_moved_s"]["p99"], countdown["switch_s"] + 1.1)  # figures are exact to 0.1 s


if __name__ == "__main__":
    unittest.main()
