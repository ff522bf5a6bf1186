"""What once went wrong, seen from outside: each failed before it was mended."""
import json
import os
import pathlib
import socket
import subprocess
import unittest
import unittest.mock

import dns.message
import dns.rcode
import dns.rdatatype

import steerd_test as t
import functional.test_serve as serve

GEO = """
[geo]
country_table = "geo"
[[geo.networks]]
prefix = "10.1.0.0/16"
country = "JP"
[endpoints.a]
addresses = ["192.0.2.1"]
[endpoints.b]
addresses = ["192.0.2.2"]
[endpoints.six]
addresses = ["2001:db8::6"]
[routes.fenced]
policy = "geo"
members = [{ match = "country:JP", to = "a", fence = true }]
[routes.site]
policy = "failover"
members = ["fenced", "b"]
[routes.repeated]
policy = "geo"
members = [{ match = "country:US", to = "b" }, { match = "*", to = "b" }]
[routes.only6]
policy = "failover"
members = ["six"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"site" = { route = "site", ttl = "60s" }
"repeated" = { route = "repeated", ttl = "60s" }
"six.example.com" = { route = "only6", ttl = "60s", families = "any" }
[zones."hidden.example.com"]
file = "hidden.zone"
"""
ZONES = {"example.com.zone": t.zone_text(records="static A 192.0.2.9\ntohid CNAME www.hidden\n"),
         "hidden.zone": t.zone_text("hidden.example.com.", "www A 192.0.2.77\n")}


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(t.tempfile.mkdtemp())
        for name, text in ZONES.items():
            (self.folder / name).write_text(text)
        self.config = self.folder / "steerd.toml"
        self.write(GEO)

    def tearDown(self):
        t.shutil.rmtree(self.folder)

    def write(self, text):
        self.config.write_text('[server]\nlisten = ["127.0.0.1:0"]\n' + text)

    def explain(self, *words):
        done = t.run_steerd("explain", "-c", str(self.config), "--json", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def check(self):
        return t.run_steerd("check", "-c", str(self.config))


class Explained(Folder):
    def test_a_plain_address_has_the_scope_its_prefix_would_have(self):
        for client in ("10.1.2.3", "10.1.2.3/32"):
            e = self.explain("site.example.com", "A", "--client", client)
            self.assertEqual(e["decision"]["scope"], 16, client)

    def test_a_geo_reason_names_the_match_of_this_client(self):
        e = self.explain("repeated.example.com", "A", "--client", "10.1.2.3")
        reasons = [m["reason"] for m in e["decision"]["steps"][0]["members"]]
        self.assertEqual(reasons, ["no match for country:US", "matches *"])

    def test_a_dead_fence_keeps_its_clients_from_everything_else(self):
        e = self.explain("site.example.com", "A", "--client", "10.1.2.3", "--down", "a")
        self.assertEqual(e["decision"]["endpoints"], ["a"])  # serve-all, not b
        self.assertTrue(e["decision"]["fail_open"])
        e = self.explain("site.example.com", "A", "--client", "10.9.2.3", "--down", "a")
        self.assertEqual(e["decision"]["endpoints"], ["b"])

    def test_a_family_that_nobody_has_is_no_outage(self):
        e = self.explain("six.example.com", "A", "--client", "10.9.2.3")
        self.assertFalse(e["decision"]["fail_open"])
        self.assertIn(" 60 IN SOA ", e["answer"]["authority"][0])
        member = e["decision"]["steps"][0]["members"][0]
        self.assertEqual((member["health"], member["reason"]), ("up", "no address of the family"))


class Checked(Folder):
    def test_problems_of_routes_and_of_zone_files_come_together(self):
        (self.folder / "hidden.zone").write_text(ZONES["hidden.zone"] + "bad A 1.2.3.x\n")
        self.write(GEO.replace('members = ["six"]', 'members = ["sixx"]'))
        out = self.check().stdout
        self.assertIn("sixx", out)
        self.assertRegex(out, r"hidden\.zone:\d+:\d+: error")

    def test_a_steered_name_as_server_of_another_zone_is_an_error(self):
        (self.folder / "hidden.zone").write_text(ZONES["hidden.zone"] + "@ NS site.example.com.\n")
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"steerd\.toml:\d+:\d+: error: steered name site\.example\.com\. "
                                      r"is the target of an NS of the zone hidden\.example\.com\.")

    def test_too_many_addresses_in_one_endpoint_are_an_error(self):
        many = ", ".join(f'"192.0.2.{i}"' for i in range(1, 66))
        self.write(GEO.replace('addresses = ["192.0.2.1"]', f"addresses = [{many}]"))
        done = self.check()
        self.assertEqual(done.returncode, 1)
        self.assertIn("at most 64", done.stdout)

    def test_terms_add_up(self):
        self.write(GEO.replace("[endpoints.a]\n", """[probes.p]
type = "tcp"
port = 80
interval = "1s"
timeout = "500ms"
fast_interval = "250ms"
fall = 2
[endpoints.a]
probes = ["p"]
""").replace('"site" = { route = "site", ttl = "60s" }',
             '"site" = { route = "site", ttl = "10s", ttl_min = "1s" }'))
        names = json.loads(t.run_steerd("check", "--json", "-c", str(self.config)).stdout)["names"]
        site = [n for n in names if n["name"].startswith("site")][0]
        self.assertEqual(site["terms"], {"detect_s": 2.0, "publish_s": 0.1, "ttl_s": 9.5})
        self.assertAlmostEqual(site["worst_case_s"], sum(site["terms"].values()))


class Served(unittest.TestCase):
    def test_a_stray_frame_on_tcp_loses_no_answer(self):
        with t.Steerd(GEO, ZONES) as steerd:
            query = dns.message.make_query("static.example.com", "A").to_wire()
            response = bytearray(query)
            response[2] |= 0x80
            stream = b"".join(serve.Serving.frame(m) for m in (query, query, bytes(response), b"", b"abc", query))
            with socket.create_connection(("127.0.0.1", steerd.port), timeout=5) as s:
                s.sendall(stream)
                s.shutdown(socket.SHUT_WR)
                self.assertEqual(len(serve.Serving.read_messages(s, 3)), 3)

    def test_a_cname_into_another_zone_of_ours_is_not_denied(self):
        with t.Steerd(GEO, ZONES) as steerd:
            answer = steerd.ask("tohid.example.com")
            self.assertEqual(answer.rcode(), dns.rcode.NOERROR)
            self.assertEqual(answer.answer[0].rdtype, dns.rdatatype.CNAME)

    def test_identity_and_location_wait_for_a_restart(self):
        def identity(steerd):
            query = dns.message.make_query("id.server", "TXT", rdclass="CH")
            return dns.query.udp(query, "127.0.0.1", port=steerd.port, timeout=3).answer[0][0].strings[0]
        config = '[server]\nlisten = ["127.0.0.1:0"]\nidentity = "one"\n' + GEO
        with t.Steerd(config, ZONES) as steerd:
            self.assertEqual(identity(steerd), b"one")
            steerd.write("steerd.toml", config.replace('"one"', '"two"'))
            mark = len(steerd.lines)
            steerd.reload("reloaded")
            self.assertTrue(any("wait for a restart" in l for l in steerd.lines[mark:]))
            self.assertEqual(identity(steerd), b"one")

    def test_a_cname_loop_through_one_zone_leaves_the_others_alone(self):
        config = GEO + """
[endpoints.back]
cname = "x.loop.test."
[routes.loop]
policy = "failover"
members = ["back"]
[zones."loop.test"]
file = "loop.zone"
[zones."loop.test".steer]
"www" = { route = "loop" }
"""
        zones = {**ZONES, "loop.zone": t.zone_text("loop.test.", "x CNAME www\n")}
        with t.Steerd(config, zones) as steerd:
            self.assertEqual(steerd.ask("www.loop.test").rcode(), dns.rcode.SERVFAIL)
            self.assertEqual(steerd.addresses("static.example.com"), ["192.0.2.9"])

    def test_a_state_file_that_cannot_be_read_is_kept(self):
        with t.Steerd(GEO, ZONES) as steerd:
            self.assertEqual(steerd.stop(), 0)
            state = steerd.folder / "state" / "state.json"
            state.write_text("precious")
            state.chmod(0o600)
            steerd.folder.chmod(0o755)
            state.parent.chmod(0o777)
            # Another user may not be able to reach the build folder.
            binary = t.shutil.copy(t.STEERD, steerd.folder / "steerd")
            with unittest.mock.patch.object(t, "STEERD", binary):
                steerd.start(prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
            self.assertEqual((state.parent / "state.json.bad").read_text(), "precious")

    def test_zones_reload_while_a_geo_file_is_as_bad_as_at_the_start(self):
        config = GEO.replace('country_table = "geo"', 'databases = ["bad.mmdb"]')
        with t.Steerd(config, {**ZONES, "bad.mmdb": "no database"}) as steerd:
            steerd.write("example.com.zone", ZONES["example.com.zone"] + "new A 192.0.2.10\n")
            self.assertEqual(steerd.reload(), "reloaded")
            self.assertEqual(steerd.addresses("new.example.com"), ["192.0.2.10"])


if __name__ == "__main__":
    t.main()
