"""Measured round trips from an export to the answer: import, load, explain."""
import json
import pathlib
import subprocess
import tempfile
import unittest

import steerd_test as t

CONFIG = """
[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
[geo]
country_table = "none"
latency = "latency.csv"
[[geo.networks]]
prefix = "203.0.113.0/24"
location = [35.7, 139.7]
country = "JP"
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
[endpoints.tokyo]
region = "tokyo"
addresses = ["192.0.2.10"]
[endpoints.virginia]
region = "virginia"
addresses = ["198.51.100.10"]
[routes.www]
policy = "latency"
members = ["tokyo", "virginia"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = { route = "www", ttl = "60s" }
"""


class Latency(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "steerd.toml").write_text(CONFIG)
        (self.folder / "example.com.zone").write_text(t.zone_text())

    def run_it(self, *args, status=0, **more):
        done = subprocess.run([t.STEERD, *args], cwd=self.folder, capture_output=True, text=True,
                              timeout=60, **more)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def explained(self, client="203.0.113.9"):
        told = json.loads(self.run_it("explain", "www.example.com", "A", "--client", client, "--json").stdout)
        return {m["name"]: m for m in told["decision"]["steps"][0]["members"]}

    def test_an_export_becomes_estimates(self):
        # By the map this client is in Tokyo; what it measured says otherwise.
        (self.folder / "rum.csv").write_text(
            "client_ip,pop,rtt_ms\n" + "".join(
                f"203.0.113.{i},{region},{rtt + i}\n" for i in range(5)
                for region, rtt in (("virginia", 20), ("tokyo", 80))))
        self.run_it("latency", "import", "rum.csv", "-o", "latency.csv")
        self.assertEqual((self.folder / "latency.csv").read_text(),
                         "client,region,rtt_ms,samples\n203.0.113.0/24,tokyo,82,5\n203.0.113.0/24,virginia,22,5\n")
        members = self.explained()
        self.assertTrue(members["virginia"]["chosen"])
        self.assertEqual(members["virginia"]["rtt_ms"], 22)
        self.assertEqual(members["virginia"]["rtt_source"], "latency.csv 203.0.113.0/24")
        self.assertEqual(members["virginia"]["samples"], 5)
        self.assertIsNone(members["virginia"]["age_days"])

    def test_thin_and_old_rows_fall_back_visibly(self):
        (self.folder / "latency.csv").write_text(
            "client,region,rtt_ms,samples,age_days\n203.0.113.0/24,tokyo,300,2,1\n"
            "country:JP,virginia,170,50,3\n203.0.113.0/24,virginia,1,90,365\n")
        check = self.run_it("check").stdout
        self.assertIn("2 rows give way to wider ones or the model: 1 of fewer than 3 samples, "
                      "1 older than 90 days", check)
        members = self.explained()
        self.assertEqual(members["tokyo"]["rtt_source"], "model")
        self.assertIn("not used: latency.csv 203.0.113.0/24, 2 samples, 1 day old",
                      members["tokyo"]["rtt_detail"])
        self.assertEqual(members["virginia"]["rtt_source"], "latency.csv country:JP")
        self.assertEqual(members["virginia"]["age_days"], 3)
        self.assertTrue(members["tokyo"]["chosen"])
        (self.folder / "steerd.toml").write_text(CONFIG.replace(
            'latency = "latency.csv"',
            'latency = "latency.csv"\nlatency_min_samples = 2\nlatency_max_age = "400d"'))
        members = self.explained()
        self.assertEqual((members["tokyo"]["rtt_ms"], members["virginia"]["rtt_ms"]), (300, 1))

    def test_a_region_without_an_estimate_says_so(self):
        (self.folder / "latency.csv").write_text("client,region,rtt_ms\n192.0.2.0/24,tokyo,30\n")
        members = self.explained("192.0.2.1")  # nobody knows where this is
        self.assertEqual((members["virginia"]["rtt_ms"], members["virginia"]["reason"]),
                         (None, "no estimate"))
        text = self.run_it("explain", "www.example.com", "A", "--client", "192.0.2.1").stdout
        self.assertRegex(text, r"virginia +up +- +0\.0 %  no estimate\n")
        text = self.run_it("explain", "www.example.com", "A", "--client", "192.0.2.1", "--down", "tokyo").stdout
        self.assertRegex(text, r"-> virginia +up +- +100\.0 %  no estimate, nothing better is available\n")

    def test_what_a_spreadsheet_writes_is_read(self):
        text = b"\xef\xbb\xbfclient,region,rtt_ms\r\n203.0.113.7,tokyo,30\r\n"
        (self.folder / "rum.csv").write_bytes(text)
        done = self.run_it("latency", "import", "rum.csv")
        self.assertEqual(done.stdout, "client,region,rtt_ms,samples\n203.0.113.0/24,tokyo,30,1\n")
        self.assertEqual(done.stderr, "1 sample, 1 row\n")
        (self.folder / "latency.csv").write_bytes(text)
        self.assertEqual(self.explained("203.0.113.7")["tokyo"]["rtt_ms"], 30)

    def test_standard_input_and_bad_input(self):
        done = self.run_it("latency", "import", "-", input="client,region,rtt\n192.0.2.1,tokyo,5\nx,y,z\n")
        self.assertEqual(done.stdout, "client,region,rtt_ms,samples\n192.0.2.0/24,tokyo,5,1\n")
        self.assertEqual(done.stderr.splitlines(),
                         ["-:3: warning: 1 line is no sample (client address, region, rtt above 0) and "
                          "was skipped", "1 sample, 1 row"])
        done = self.run_it("latency", "import", "-", input="", status=1)
        self.assertIn("there are no samples", done.stderr)
        self.run_it("latency", "import", "-", input="a,b,c\n192.0.2.1,tokyo,5\n", status=1)
        self.run_it("latency", "import", "absent.csv", status=1)
        self.run_it("latency", "import", status=2)
        self.run_it("latency", "export", "-", status=2)
        self.run_it("latency", "import", "-", "--prefix4", "33", status=2)


if __name__ == "__main__":
    unittest.main()
