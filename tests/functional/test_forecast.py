"""steerd forecast: shares before and after, by address space and by demand, as text, JSON and page."""
import html.parser
import json
import pathlib
import tempfile
import unittest

import steerd_test as t

CONFIG = """
[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
[geo]
country_table = "table"
[regions.tokyo]
location = [35.68, 139.69]
[regions.virginia]
location = [38.95, -77.45]
[probes.web]
type = "tcp"
port = 80
[endpoints.tokyo]
region = "tokyo"
addresses = ["192.0.2.10", "2001:db8::10"]
probes = ["web"]
capacity = 150
[endpoints.virginia-stable]
region = "virginia"
addresses = ["198.51.100.10", "2001:db8:1::10"]
probes = ["web"]
capacity = 120
[endpoints.virginia-canary]
region = "virginia"
addresses = ["198.51.100.99", "2001:db8:1::99"]
probes = ["web"]
[routes.virginia]
policy = "weighted"
members = [{ to = "virginia-stable", weight = 95 }, { to = "virginia-canary", weight = 5 }]
[routes.www]
policy = "latency"
members = ["tokyo", "virginia"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = { route = "www", ttl = "60s" }
"*.apps" = { route = "virginia", ttl = "30s" }
"""
# 1.0.0.0/8 in Japan, 2.0.0.0/8 and 3.0.0.0/8 in the United States.
TABLE4 = "16777216,33554431,JP\n33554432,67108863,US\n"
TABLE6 = "2400::,2400:ffff:ffff:ffff:ffff:ffff:ffff:ffff,JP\n2600::,2600:ffff:ffff:ffff:ffff:ffff:ffff:ffff,US\n"


class Reader(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


class Forecast(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        (self.folder / "table").mkdir()
        (self.folder / "table" / "geoip").write_text(TABLE4)
        (self.folder / "table" / "geoip6").write_text(TABLE6)
        (self.folder / "steerd.toml").write_text(CONFIG)
        (self.folder / "example.com.zone").write_text(t.zone_text())

    def run_it(self, *args, status=0):
        done = t.run_steerd("forecast", "-c", "steerd.toml", *args, cwd=self.folder)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def forecast(self, *args):
        return json.loads(self.run_it("--json", *args).stdout)

    def assertShares(self, shares, **expected):
        for name, share in expected.items():
            self.assertAlmostEqual(shares[name.replace("_", "-")], share, places=9)
        self.assertAlmostEqual(sum(shares.values()), 1, places=9)

    def test_by_address_space(self):
        told = self.forecast("--name", "www.example.com", "--down", "region:tokyo")
        self.assertEqual(told["name"], "www.example.com.")
        part = 2 ** 24 / told["total"]
        self.assertGreater(told["total"], 3.6e9)
        self.assertShares(told["before"], tokyo=part, virginia_stable=2 * part * 0.95,
                          virginia_canary=2 * part * 0.05, unknown=1 - 3 * part)
        self.assertShares(told["after"], tokyo=0, virginia_stable=3 * part * 0.95,
                          virginia_canary=3 * part * 0.05, unknown=1 - 3 * part)
        self.assertAlmostEqual(told["moved"], part)
        self.assertEqual([c["country"] for c in told["moved_by_country"]], ["JP"])

    def test_by_slash_48_for_ipv6(self):
        told = self.forecast("--name", "www.example.com", "--down", "tokyo", "--type", "AAAA")
        part = 2 ** 32 / told["total"]
        self.assertShares(told["before"], tokyo=part, unknown=1 - 2 * part)
        self.assertShares(told["after"], tokyo=0, virginia_stable=2 * part * 0.95)

        text = self.run_it("--name", "www.example.com", "--down", "tokyo", "--type", "AAAA").stdout
        self.assertIn("0.01 % of the clients, 50.00 % of those whose place is known", text)

    def test_an_outage_of_everything_is_told(self):
        down = ["--name", "www.example.com", "--down", "tokyo", "--down", "region:virginia"]
        told = self.forecast(*down)
        self.assertEqual((told["moved"], told["after"]), (0, told["before"]))  # serve-all
        self.assertAlmostEqual(told["fail_open"], 1 - told["after"]["unknown"])
        self.assertIn("warning: nothing would be available for 1.36 % of the clients: these are the "
                      "answers of when_all_down", self.run_it(*down).stdout)
        self.assertEqual(self.forecast("--name", "www.example.com", "--down", "tokyo")["fail_open"], 0)

    def test_a_wildcard_that_does_not_ask_where_clients_are(self):
        told = self.forecast("--name", "x.apps.example.com", "--down", "virginia-canary")
        self.assertShares(told["before"], virginia_stable=0.95, virginia_canary=0.05)
        self.assertShares(told["after"], virginia_stable=1, virginia_canary=0)
        self.assertNotIn("unknown", told["before"])

    def test_demand_and_capacity(self):
        (self.folder / "demand.csv").write_text(
            "prefix,weight\n1.2.0.0/16,100\n\n# comment\n2.0.0.0/8,60.5\n2600::/32,40\n")
        told = self.forecast("--name", "www.example.com", "--down", "tokyo", "--demand", "demand.csv")
        self.assertAlmostEqual(told["total"], 200.5)
        self.assertShares(told["before"], tokyo=100 / 200.5, virginia_stable=0.95 * 100.5 / 200.5)
        self.assertShares(told["after"], tokyo=0, virginia_stable=0.95)
        self.assertEqual([w["endpoint"] for w in told["warnings"]], ["virginia-stable"])
        self.assertAlmostEqual(told["warnings"][0]["after"], 0.95 * 200.5)
        text = self.run_it("--name", "www.example.com", "--down", "tokyo", "--demand", "demand.csv").stdout
        self.assertIn("warning: virginia-stable would get 190.5 requests/s, its capacity is 120", text)

    def test_bad_demand_names_each_line(self):
        (self.folder / "demand.csv").write_text("1.2.0.0/16,100\n1.2.0.0/8,1\nx,1\n1.2.3.4,-1\n1.2.3.4\n")
        done = self.run_it("--name", "www.example.com", "--demand", "demand.csv", status=1)
        told = done.stderr.splitlines()
        for line in (2, 3, 4, 5):
            self.assertTrue(told[line - 2].startswith(f"demand.csv:{line}: error: wants prefix,weight"), told)
        for text, why in (("", "has no rows"), ("prefix,weight\n", "has no rows"),
                          ("1.0.0.0/8,0\n", "all weights are 0"), ("1.0.0.0/8,nan\n", "cannot be used"),
                          ("1.0.0.0/8,inf\n", "cannot be used"), ("1.0.0.0/8,1e300\n", "cannot be used")):
            (self.folder / "demand.csv").write_text(text)
            done = self.run_it("--name", "www.example.com", "--demand", "demand.csv", status=1)
            self.assertIn(why, done.stderr)

    def test_what_a_spreadsheet_writes_is_demand_too(self):
        (self.folder / "demand.csv").write_bytes(b"\xef\xbb\xbfPrefix,Weight\r\n\"1.0.0.0/8\",\"4\"\r\n")
        told = self.forecast("--name", "www.example.com", "--demand", "demand.csv")
        self.assertShares(told["before"], tokyo=1)

    def test_the_blast_radius_of_a_configuration(self):
        (self.folder / "after.toml").write_text(
            CONFIG.replace("weight = 95", "weight = 50").replace("weight = 5 }", "weight = 50 }"))
        told = self.forecast("--name", "www.example.com", "--config-after", "after.toml")
        known = 1 - told["before"]["unknown"]
        self.assertAlmostEqual(told["moved"], 0.45 * known * 2 / 3)
        self.assertAlmostEqual(told["after"]["virginia-canary"], 0.5 * known * 2 / 3)
        same = self.forecast("--name", "www.example.com", "--config-after", "steerd.toml")
        self.assertEqual(same["moved"], 0)
        self.assertEqual(same["before"], same["after"])

    def test_the_page_is_self_contained(self):
        self.run_it("--name", "www.example.com", "--down", "region:tokyo", "--html", "page.html")
        page = (self.folder / "page.html").read_text()
        reader = Reader()
        reader.feed(page)
        tags = [tag for tag, _ in reader.tags]
        self.assertEqual(tags.count("svg"), 2)
        self.assertNotIn("script", tags)
        for tag, attributes in reader.tags:
            self.assertFalse(attributes.keys() & {"src", "href"}, (tag, attributes))
        self.assertNotIn("url(", page)
        self.assertIn("prefers-color-scheme:dark", page)
        # Two countries on each map; in Japan everybody moves.
        dots = [attributes["class"] for tag, attributes in reader.tags if tag == "circle"]
        self.assertEqual(len(dots), 4)
        self.assertEqual(len([d for d in dots if "moved" in d]), 1)

    def test_what_does_not_exist_is_said(self):
        self.assertIn("no steered name", self.run_it("--name", "no.example.com", status=1).stderr)
        (self.folder / "after.toml").write_text(CONFIG.replace('"www" =', '"web" ='))
        self.assertIn("www.example.com. is no steered name of after.toml", self.run_it(
            "--name", "www.example.com", "--config-after", "after.toml", status=1).stderr)
        self.assertIn("osaka", self.run_it("--name", "www.example.com", "--down", "osaka", status=1).stderr)
        self.run_it("--down", "tokyo", status=2)
        self.run_it("--name", "www.example.com", "--type", "MX", status=2)
        self.run_it("--name", "www.example.com", "--demand", "absent.csv", status=1)


if __name__ == "__main__":
    unittest.main()
