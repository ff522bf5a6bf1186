"""The drill rehearses the code that serves, and no copy of it. A variant of steerd is built in which
`fall` counts one more and TTLs are 5 s longer, each changed in the one place that has the rule; the
virtual drill, the live drill and explain must then move exactly as the rules say."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

STEERD = pathlib.Path(os.environ["STEERD_BINARY"])
SOURCE = pathlib.Path(os.environ["STEERD_SOURCE_DIR"])
LONGER_S = 5
# What it is, the file, what stands there once, and what the variant has instead.
CHANGES = [
    ("fall", "health/tracker.cc", "fall_(fall), rise_(rise)", "fall_(fall + 1), rise_(rise)"),
    ("ttl", "policy/decide_resolve.h", "    return name.ttl_s;\n", f"    return name.ttl_s + {LONGER_S};\n"),
]
FOLDERS_LEFT_OUT = shutil.ignore_patterns("build", "build-*", ".git", "__pycache__")
# A check fails at once, or after the timeout of 2 s; re-checks are 1 s apart.
SCENARIO = """[drill]
config     = "steerd.toml"
name       = "api.example.com"
duration   = "10m"
seed       = 7
population = "ideal"
[[demand]]
place              = "country:JP"
resolvers          = 20000
queries_per_second = 200000
[[events]]
at     = "2m"
do     = "{event}"
target = "region:tokyo"
"""

# Real time: a check fails at once, the second fail in a row means down, both a second apart.
LIVE_CONFIG = """[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
workers = 1
[probes.web]
type = "tcp"
port = 80
interval = "1s"
timeout = "900ms"
fast_interval = "1s"
fall = 2
rise = 2
[endpoints.tokyo]
addresses = ["192.0.2.10"]
probes = ["web"]
[endpoints.virginia]
addresses = ["198.51.100.10"]
probes = ["web"]
[routes.safe]
policy = "failover"
members = ["tokyo", "virginia"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = { route = "safe", ttl = "4s" }
"""
LIVE_SCENARIO = """[drill]
config = "live.toml"
name = "www.example.com"
duration = "20s"
seed = 7
[[demand]]
network = "203.0.113.0/24"
resolvers = 200
queries_per_second = 2000
[[events]]
at = "3s"
do = "kill"
target = "tokyo"
"""


def cache_values(build):
    """What the build was configured with, as options for another."""
    wanted = ("CMAKE_BUILD_TYPE", "CMAKE_CXX_FLAGS", "CMAKE_CXX_FLAGS_", "CMAKE_CXX_COMPILER",
              "CMAKE_EXE_LINKER_FLAGS", "STEERD_")
    options = []
    for line in (build / "CMakeCache.txt").read_text().splitlines():
        name, colon, rest = line.partition(":")
        kind, _, value = rest.partition("=")
        if colon and kind in ("STRING", "BOOL", "FILEPATH", "UNINITIALIZED", "PATH") and \
                (name in wanted or name.startswith(("CMAKE_CXX_FLAGS_", "STEERD_"))):
            options.append(f"-D{name}:{kind}={value}")
    return options


class Variant(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="steerd-variant-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        build = STEERD.parent.parent
        # The same paths from build to source, so that the compiler's cache knows what has not changed.
        cls.source = cls.folder / "tree" / SOURCE.name
        cls.build = pathlib.Path(os.path.normpath(cls.source / os.path.relpath(build, SOURCE)))
        shutil.copytree(SOURCE, cls.source, ignore=FOLDERS_LEFT_OUT)
        for what, file, old, new in CHANGES:
            path = cls.source / file
            text = path.read_text()
            assert text.count(old) == 1, f"{what}: {file} has {text.count(old)} places, not one"
            path.write_text(text.replace(old, new))
        environment = {**os.environ, "CCACHE_BASEDIR": str(cls.source), "CCACHE_NOHASHDIR": "1"}
        for command in (["cmake", "-S", cls.source, "-B", cls.build, "-G", "Ninja",
                         *cache_values(build), "-DBUILD_TESTING=OFF", "-DSTEERD_BENCH=OFF"],
                        ["cmake", "--build", cls.build, "--target", "steerd", "-j", "2"]):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=1500)
            assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        cls.variant = cls.build / STEERD.relative_to(build)
        cls.drills = cls.folder / "drills"
        shutil.copytree(SOURCE / "examples/drills", cls.drills)

    def run_steerd(self, binary, *words):
        done = subprocess.run([binary, *words], cwd=self.drills, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def drilled(self, binary, event):
        (self.drills / "variant.toml").write_text(SCENARIO.format(event=event))
        self.run_steerd(binary, "drill", "variant.toml", "--json", "variant.json")
        return json.loads((self.drills / "variant.json").read_text())["events"][0]

    def test_the_virtual_drill_moves_with_both_rules(self):
        for event, step_s in (("kill", 1.0), ("blackhole", 2.0)):
            with self.subTest(event):
                before, after = self.drilled(STEERD, event), self.drilled(self.variant, event)
                self.assertAlmostEqual(after["first_failed_s"], before["first_failed_s"], delta=0.001)
                self.assertAlmostEqual(after["detect_s"] - before["detect_s"], step_s, delta=0.001)
                self.assertAlmostEqual(after["switch_s"] - before["switch_s"], step_s, delta=0.06)
                held = {name: one["clients_moved_s"]["p99"] - one["switch_s"]
                        for name, one in (("before", before), ("after", after))}
                self.assertAlmostEqual(held["after"] - held["before"], LONGER_S, delta=0.3)

    def test_the_live_drill_moves_with_both_rules(self):
        (self.drills / "live.toml").write_text(LIVE_CONFIG)
        (self.drills / "live-drill.toml").write_text(LIVE_SCENARIO)
        running = []
        for name, binary in (("before", STEERD), ("after", self.variant)):
            running.append((name, subprocess.Popen(
                [binary, "drill", "live-drill.toml", "--live", "--json", f"{name}.json"], cwd=self.drills,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)))
        events = {}
        for name, process in running:
            out, _ = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 0, out)
            events[name] = json.loads((self.drills / f"{name}.json").read_text())["events"][0]
        # The phase of the checks is another each time, anywhere within a second; a check more in a
        # row takes a second more, so that the two cannot be taken for each other.
        for name, least in (("before", 1.0), ("after", 2.0)):
            self.assertGreaterEqual(events[name]["detect_s"], least - 0.05, name)
            self.assertLessEqual(events[name]["detect_s"], least + 1.3, name)
        held = {name: one["clients_moved_s"]["p99"] - one["switch_s"] for name, one in events.items()}
        self.assertAlmostEqual(held["after"] - held["before"], LONGER_S, delta=1)

    def test_explain_moves_with_the_ttl(self):
        words = ("explain", "-c", "steerd.toml", "api.example.com", "A", "--client", "133.242.0.1", "--json")
        before, after = (json.loads(self.run_steerd(binary, *words)) for binary in (STEERD, self.variant))
        self.assertEqual(after["decision"]["ttl"], before["decision"]["ttl"] + LONGER_S)
        for told in (before, after):
            self.assertIn(f" {told['decision']['ttl']} IN A ", told["answer"]["records"][0])
        self.assertEqual(after["decision"]["endpoints"], before["decision"]["endpoints"])

    def test_a_drill_finds_out_when_the_promise_is_broken(self):
        """check tells what the configuration promises; the drill measures what the code does."""
        promises = []
        for binary in (STEERD, self.variant):
            names = json.loads(self.run_steerd(binary, "check", "-c", "steerd.toml", "--json"))["names"]
            promises.append(next(n["terms"] for n in names if n["name"] == "api.example.com."))
        self.assertEqual(*promises)
        self.assertLessEqual(self.drilled(STEERD, "blackhole")["detect_s"], promises[0]["detect_s"])
        self.assertGreater(self.drilled(self.variant, "blackhole")["detect_s"], promises[1]["detect_s"])


if __name__ == "__main__":
    unittest.main()
