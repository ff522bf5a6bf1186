"""What is logged: the query log's samples and lines, dnstap as Debian's readers decode it, transitions in
numbers that stay bounded."""
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import admin_http
import steerd_test as t

CONFIG = """[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
workers = 2
identity = "here"
%s
[admin]
listen = ["unix:state/admin.sock"]
[endpoints.tokyo]
addresses = ["192.0.2.1"]
[endpoints.osaka]
addresses = ["192.0.2.2"]
[routes.www]
policy = "failover"
members = ["tokyo", "osaka"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = { route = "www", ttl = "60s" }
[zones."example.net"]
file = "example.net.zone"
"""
ZONES = {"example.com.zone": t.zone_text(records="static A 192.0.2.9\n"),
         "example.net.zone": t.zone_text("example.net.")}


def fields(line):
    """Of a line of logfmt."""
    return {key: value.strip('"') for key, value in
            re.findall(r'(\w+)=("(?:[^"\\]|\\.)*"|\S*)', line)}


def metric(admin, name):
    return sum(float(line.rsplit(" ", 1)[1]) for line in admin.get("/metrics").text.splitlines()
               if re.match(name + r"[ {]", line))


class QueryLog(unittest.TestCase):
    def queries(self, steerd):
        return [line for line in steerd.lines if " query client=" in line]

    def test_each_query_with_its_reason(self):
        with t.Steerd(CONFIG % "query_log = [{ one_in = 1 }]", ZONES) as steerd:
            steerd.ask("www.example.com")
            steerd.ask("WWW.example.com", subnet="203.0.113.64/26")
            steerd.ask("nothing.example.com", "TXT", tcp=True)
            steerd.ask("example.org")
            t.wait_until(lambda: len(self.queries(steerd)) >= 4, 10, "four lines")
            first, second, third, fourth = self.in_order(steerd)
            self.assertEqual(first["client"], "127.0.0.0/24")
            self.assertEqual((first["name"], first["type"], first["rcode"], first["zone"]),
                             ("www.example.com.", "A", "NOERROR", "example.com."))
            self.assertEqual((first["endpoints"], first["ttl"]), ("tokyo", "60"))
            self.assertIn("www: tokyo (", first["reason"])
            self.assertEqual(second["ecs"], "203.0.113.0/24")
            self.assertEqual((third["transport"], third["type"], third["rcode"]),
                             ("tcp", "TXT", "NXDOMAIN"))
            self.assertEqual(fourth["rcode"], "REFUSED")
            self.assertEqual(metric(admin_http.Admin(steerd), "steerd_query_log_lines_total"), 4)

    def in_order(self, steerd):
        """By what they are: threads write each their own."""
        found = [fields(line) for line in self.queries(steerd)]
        plain = next(f for f in found if f["rcode"] == "NOERROR" and "ecs" not in f)
        subnet = next(f for f in found if "ecs" in f)
        tcp = next(f for f in found if f["transport"] == "tcp")
        refused = next(f for f in found if f["rcode"] == "REFUSED")
        return plain, subnet, tcp, refused

    def test_the_rule_for_the_name_counts_then_the_zone(self):
        rules = ('query_log = [{ one_in = 1000000000 }, { one_in = 1000000000, zone = "example.com" }, '
                 '{ one_in = 1, name = "www.example.com" }, { one_in = 1, zone = "example.net" }]')
        with t.Steerd(CONFIG % rules, ZONES) as steerd:
            for name in ("static.example.com", "www.example.com", "example.org", "a.example.net"):
                for _ in range(5):
                    steerd.ask(name)
            t.wait_until(lambda: len(self.queries(steerd)) >= 10, 10, "ten lines")
            names = [fields(line)["name"] for line in self.queries(steerd)]
            self.assertEqual(sorted(names), ["a.example.net."] * 5 + ["www.example.com."] * 5)

    def test_one_in_ten(self):
        with t.Steerd(CONFIG % "query_log = [{ one_in = 10 }]", ZONES) as steerd:
            admin = admin_http.Admin(steerd)
            for _ in range(1000):
                steerd.ask("www.example.com")
            t.wait_until(lambda: metric(admin, "steerd_query_log_lines_total") ==
                         len(self.queries(steerd)) > 50, 20, "lines")
            # Six standard deviations.
            self.assertAlmostEqual(len(self.queries(steerd)), 100, delta=60)

    def test_off_by_default(self):
        with t.Steerd(CONFIG % "", ZONES) as steerd:
            for _ in range(20):
                steerd.ask("www.example.com")
            self.assertEqual(metric(admin_http.Admin(steerd), "steerd_query_log_lines_total"), 0)
            steerd.stop()
            self.assertEqual(self.queries(steerd), [])


class Unread(t.Steerd):
    """Whoever reads its log stands still once it is ready."""
    go_on = threading.Event()

    @staticmethod
    def _read(process, lines):
        for line in process.stderr:
            lines.append(line.rstrip("\n"))
            if line.endswith(" ready\n"):
                Unread.go_on.wait(60)


class SlowReader(unittest.TestCase):
    def test_a_log_that_nobody_reads_holds_up_nothing(self):
        with Unread(CONFIG % "query_log = [{ one_in = 1 }]", ZONES) as steerd:
            admin = admin_http.Admin(steerd)
            for _ in range(1500):
                self.assertEqual(steerd.ask("www.example.com").rcode(), 0)
            lost = r'steerd_tap_drops_total\{reason="log_reader"\}'
            t.wait_until(lambda: metric(admin, lost) > 0, 20, "lines left out")
            before = metric(admin, "steerd_reloads_total")
            steerd.process.send_signal(signal.SIGHUP)
            t.wait_until(lambda: metric(admin, "steerd_reloads_total") > before, 10, "a reload")
            begin = time.monotonic()
            steerd.process.send_signal(signal.SIGTERM)
            self.assertEqual(steerd.process.wait(30), 0)
            self.assertLess(time.monotonic() - begin, 10)
            Unread.go_on.set()


class Dnstap(unittest.TestCase):
    def read(self, path, *options):
        done = subprocess.run(["dnstap-read", *options, str(path)], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def ask_all(self, steerd):
        steerd.ask("www.example.com")
        steerd.ask("nothing.example.com", "AAAA", tcp=True)
        steerd.ask("example.org", "MX")

    def check(self, path):
        short = self.read(path)
        kinds = [line.split()[2] for line in short.splitlines()]
        self.assertEqual(sorted(kinds), ["AQ"] * 3 + ["AR"] * 3, short)
        self.assertEqual(short.count("www.example.com/IN/A"), 2, short)
        self.assertEqual(len([l for l in short.splitlines() if " TCP " in l]), 2, short)
        long = self.read(path, "-y")
        self.assertIn("identity: here", long)
        self.assertRegex(long, r"version: steerd \d")
        self.assertIn("status: NXDOMAIN", long)
        self.assertIn("192.0.2.1", long)
        self.assertRegex(long, r"query_address: \"?127\.0\.0\.1")

    def test_a_file_is_what_debians_reader_decodes(self):
        with t.Steerd(CONFIG % 'dnstap = "file:queries.fstrm"', ZONES) as steerd:
            self.ask_all(steerd)
            self.assertEqual(steerd.stop(), 0)
            self.check(steerd.folder / "queries.fstrm")

    def test_a_reader_on_a_socket_gets_them(self):
        with tempfile.TemporaryDirectory(prefix="dnstap-") as folder:
            folder = pathlib.Path(folder)
            reader = subprocess.Popen(
                ["fstrm_capture", "-t", "protobuf:dnstap.Dnstap", "-u", str(folder / "s"),
                 "-w", str(folder / "out")], stderr=subprocess.DEVNULL)
            try:
                t.wait_until((folder / "s").exists, 20, "the reader listens")
                with t.Steerd(CONFIG % f'dnstap = "unix:{folder}/s"', ZONES) as steerd:
                    self.ask_all(steerd)
                    admin = admin_http.Admin(steerd)
                    t.wait_until(lambda: metric(admin, "steerd_dnstap_frames_total") == 6, 20, "frames")
                    self.assertEqual(steerd.stop(), 0)
            finally:
                reader.terminate()
                reader.wait(20)
            self.check(folder / "out")

    def test_without_a_reader_answers_go_on_and_it_ends_in_time(self):
        with t.Steerd(CONFIG % 'dnstap = "unix:nobody.sock"', ZONES) as steerd:
            for _ in range(50):
                self.assertEqual(steerd.addresses("www.example.com"), ["192.0.2.1"])
            self.assertEqual(steerd.stop(seconds=5), 0)

    def test_a_file_that_cannot_be_written_ends_the_start(self):
        done = t.Steerd(CONFIG % 'dnstap = "file:missing/queries.fstrm"', ZONES, wait="dnstap: cannot write")
        self.assertEqual(done.process.wait(20), 1)
        done.close()


class Events(unittest.TestCase):
    def test_orders_say_who(self):
        with t.Steerd(CONFIG % "", ZONES) as steerd:
            self.assertEqual(admin_http.Admin(steerd).order("tokyo", "drain", reason="kernel").status, 200)
            line = steerd.wait_for_log("order", 5)
            self.assertRegex(line.string, r"tokyo.*drain.*\(kernel\) by root")


if __name__ == "__main__":
    t.main()
