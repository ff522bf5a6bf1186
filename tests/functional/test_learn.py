"""[geo] learn: a server learns the round trips of those who ask over TCP, by prefix, for its own
region, and keeps them; without the key nothing is written."""
import csv
import os
import subprocess
import tempfile
import unittest

import steerd_test as t

CONFIG = """[server]
listen = ["127.0.0.1:0", "[::1]:0"]
state_dir = "state"
workers = 2
region = "tokyo"
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
[geo]
country_table = "none"
%s
[endpoints.a]
region = "tokyo"
addresses = ["192.0.2.1"]
[endpoints.b]
region = "virginia"
addresses = ["192.0.2.2"]
[routes.near]
policy = "latency"
members = ["a", "b"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
www = { route = "near" }
"""
# Loopback is no public address: it counts because the operator tells of it.
LOOPBACK = """[[geo.networks]]
prefix = "127.0.0.0/8"
country = "JP"
[[geo.networks]]
prefix = "::1/128"
country = "JP"
"""
LEARN = 'learn = "learned.csv"\n'
ZONES = {"example.com.zone": t.zone_text()}


def config(geo):
    return CONFIG % geo


def rows_of(path):
    with open(path, newline="") as file:
        return {(row["client"], row["region"]): row for row in csv.DictReader(file)}


class Learning(unittest.TestCase):
    def ask(self, steerd, times, source="127.0.0.1"):
        for _ in range(times):
            self.assertEqual(steerd.ask("www.example.com", tcp=True, source=source).rcode(), 0)

    def test_rows_of_those_who_asked_are_written_and_kept(self):
        with t.Steerd(config(LEARN + LOOPBACK), ZONES) as steerd:
            file = steerd.folder / "state" / "learned.csv"
            self.ask(steerd, 1)
            t.wait_until(file.exists, 10, "the first sample is written at once")
            self.ask(steerd, 6)
            self.ask(steerd, 2, source="127.0.9.1")
            steerd.ask("www.example.com", source="127.0.8.1")  # UDP tells nothing
            self.assertEqual(steerd.stop(), 0)
            rows = rows_of(file)
            self.assertEqual(set(rows), {("127.0.0.0/24", "tokyo"), ("127.0.9.0/24", "tokyo")})
            row = rows["127.0.0.0/24", "tokyo"]
            self.assertEqual(int(row["samples"]), 7)
            self.assertGreater(float(row["rtt_ms"]), 0)
            self.assertLess(float(row["rtt_ms"]), 5)
            self.assertLess(float(row["age_days"]), 0.1)
            # Ten days on, by the file's own time.
            then = file.stat().st_mtime - 10 * 86400
            os.utime(file, (then, then))
            steerd.start()
            self.assertTrue([l for l in steerd.lines if "2 learned round trips" in l])
            self.ask(steerd, 3)
            self.assertEqual(steerd.stop(), 0)
            rows = rows_of(file)
            self.assertEqual(int(rows["127.0.0.0/24", "tokyo"]["samples"]), 10)
            self.assertAlmostEqual(float(rows["127.0.9.0/24", "tokyo"]["age_days"]), 10, delta=0.1)

    def test_what_was_learned_steers_where_latency_names_it(self):
        with t.Steerd(config(LEARN + LOOPBACK), ZONES) as steerd:
            self.ask(steerd, 3)
            self.assertEqual(steerd.stop(), 0)
            steerd.write_config(config('latency = "state/learned.csv"\n' + LEARN + LOOPBACK))
            shown = subprocess.run([t.STEERD, "explain", "-c", steerd.folder / "steerd.toml",
                                    "www.example.com", "A", "--client", "127.0.0.77"],
                                   capture_output=True, text=True, timeout=60)
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertIn("127.0.0.0/24", shown.stdout)
            steerd.start()
            self.assertFalse([l for l in steerd.lines if "cannot be used" in l], steerd.lines)

    def test_private_clients_do_not_count_unless_a_network_tells_of_them(self):
        with t.Steerd(config(LEARN), ZONES) as steerd:
            self.ask(steerd, 3)
            self.assertEqual(steerd.stop(), 0)
            self.assertFalse((steerd.folder / "state" / "learned.csv").exists())

    def test_off_writes_nothing_and_a_reload_turns_it_on_and_off(self):
        with t.Steerd(config(LOOPBACK), ZONES) as steerd:
            file = steerd.folder / "state" / "learned.csv"
            self.ask(steerd, 3)
            steerd.write_config(config(LEARN + LOOPBACK))
            self.assertEqual(steerd.reload(), "reloaded")
            self.assertFalse(file.exists())
            self.ask(steerd, 2)
            t.wait_until(file.exists, 10, "learning since the reload")
            steerd.write_config(config(LOOPBACK))
            self.assertEqual(steerd.reload(), "reloaded")
            before = file.read_text()
            self.assertEqual(int(rows_of(file)["127.0.0.0/24", "tokyo"]["samples"]), 2)
            self.ask(steerd, 3)
            self.assertEqual(steerd.stop(), 0)
            self.assertEqual(file.read_text(), before)

    def test_a_bad_file_is_warned_of_and_kept(self):
        with t.Steerd(config(LEARN + LOOPBACK), ZONES) as steerd:
            file = steerd.folder / "state" / "learned.csv"
            self.assertEqual(steerd.stop(), 0)
            file.write_text("client,region,rtt_ms,samples,age_days\n127.0.0.0/24,tokyo,1,5")
            steerd.start()
            self.assertTrue([l for l in steerd.lines
                             if "learned.csv cannot be used" in l and "learned.csv.bad" in l])
            self.ask(steerd, 1)
            self.assertEqual(steerd.stop(), 0)
            self.assertIn("127.0.0.0/24,tokyo,1,5", (file.parent / "learned.csv.bad").read_text())
            self.assertEqual(int(rows_of(file)["127.0.0.0/24", "tokyo"]["samples"]), 1)


if __name__ == "__main__":
    unittest.main()
