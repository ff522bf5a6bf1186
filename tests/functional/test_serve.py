"""steerd serve as its users meet it: real sockets, real probes, real signals."""
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import threading
import time
import unittest

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

import steerd_test as t

BASIC = """
[geo]
country_table = "geo"
[[geo.networks]]
prefix = "10.1.0.0/16"
country = "JP"
[[geo.networks]]
prefix = "10.2.0.0/16"
country = "DE"
[endpoints.tokyo]
addresses = ["192.0.2.1", "2001:db8::1"]
[endpoints.frankfurt]
addresses = ["192.0.2.2", "2001:db8::2"]
[endpoints.sorry]
cname = "sorry.example.net."
[routes.world]
policy = "geo"
members = [{ match = "country:JP", to = "tokyo" }, { match = "*", to = "frankfurt" }]
[routes.safe]
policy = "failover"
members = ["world", "sorry"]
[routes.weighted]
policy = "weighted"
members = [{ to = "tokyo", weight = 90 }, { to = "frankfurt", weight = 10 }]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = { route = "world", ttl = "60s" }
"@" = { route = "world", ttl = "60s" }
"*.apps" = { route = "world", ttl = "30s" }
"safe" = { route = "safe", ttl = "60s" }
"canary" = { route = "weighted", ttl = "60s" }
[zones."sub.example.com"]
file = "sub.zone"
"""
RECORDS = """
static A 192.0.2.9
alias CNAME static
www TXT "beside the route"
www MX 10 mail
mail A 192.0.2.25
child NS ns.child
ns.child A 192.0.2.54
*.wild TXT "wild"
big TXT %s
""" % " ".join('"%s"' % ("x" * 200) for _ in range(20))
ZONES = {"example.com.zone": t.zone_text(records=RECORDS),
         "sub.zone": t.zone_text("sub.example.com.", "www A 192.0.2.77\n")}


class Serving(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.steerd = t.Steerd(BASIC, ZONES, listen='["127.0.0.1:0", "[::1]:0"]')
        cls.port6 = [int(l.rsplit(":", 1)[1]) for l in cls.steerd.lines if "listening on [" in l][0]

    @classmethod
    def tearDownClass(cls):
        cls.steerd.close()

    def test_clients_of_two_places_get_two_answers_with_exact_scope(self):
        japan = self.steerd.ask("www.example.com", subnet="10.1.2.0/24")
        self.assertEqual(str(japan.answer[0][0]), "192.0.2.1")
        self.assertEqual(t.ttl_of(japan), 60)
        self.assertEqual(t.scope_of(japan), 16)
        other = self.steerd.ask("www.example.com", subnet="10.2.3.0/24")
        self.assertEqual(str(other.answer[0][0]), "192.0.2.2")
        # 10.1/16 against all else: the widest prefix around 10.2.3.0 without 10.1/16 is 10.2/15.
        self.assertEqual(t.scope_of(other), 15)

    def test_static_names_have_scope_0_and_no_ecs_in_no_ecs_out(self):
        self.assertEqual(t.scope_of(self.steerd.ask("static.example.com", subnet="10.1.2.0/24")), 0)
        self.assertIsNone(t.scope_of(self.steerd.ask("static.example.com")))

    def test_source_prefix_0_uses_the_source_address_and_scope_0(self):
        answer = self.steerd.ask("www.example.com", subnet="0.0.0.0/0")
        self.assertEqual(str(answer.answer[0][0]), "192.0.2.2")
        self.assertEqual(t.scope_of(answer), 0)

    def test_steered_wildcard_and_apex(self):
        self.assertEqual(self.steerd.addresses("a.apps.example.com", subnet="10.1.0.0/24"),
                         ["192.0.2.1"])
        self.assertEqual(self.steerd.addresses("example.com", subnet="10.1.0.0/24"), ["192.0.2.1"])
        self.assertEqual(self.steerd.addresses("example.com", "AAAA", subnet="10.1.0.0/24"),
                         ["2001:db8::1"])

    def test_a_healthy_failover_with_a_cname_member_never_answers_the_cname(self):
        for rdtype in ("HTTPS", "MX", "AAAA", "A", "TXT"):
            answer = self.steerd.ask("safe.example.com", rdtype)
            self.assertEqual(answer.rcode(), dns.rcode.NOERROR)
            self.assertFalse([r for r in answer.answer if r.rdtype == dns.rdatatype.CNAME], rdtype)

    def test_other_types_beside_a_route(self):
        self.assertEqual(str(self.steerd.ask("www.example.com", "MX").answer[0][0]),
                         "10 mail.example.com.")
        nodata = self.steerd.ask("www.example.com", "SRV")
        self.assertEqual((nodata.rcode(), nodata.answer), (dns.rcode.NOERROR, []))
        self.assertEqual(nodata.authority[0].ttl, 60)  # min(SOA TTL, minimum)

    def test_zone_semantics_over_the_wire(self):
        self.assertEqual(self.steerd.ask("nx.example.com").rcode(), dns.rcode.NXDOMAIN)
        self.assertEqual(self.steerd.ask("apps.example.com").rcode(), dns.rcode.NOERROR)  # ENT
        self.assertEqual(self.steerd.ask("example.org").rcode(), dns.rcode.REFUSED)
        self.assertEqual(self.steerd.addresses("alias.example.com"), ["192.0.2.9"])
        self.assertEqual(self.steerd.addresses("www.sub.example.com"), ["192.0.2.77"])
        referral = self.steerd.ask("host.child.example.com")
        self.assertFalse(referral.flags & dns.flags.AA)
        self.assertEqual(str(referral.additional[0][0]), "192.0.2.54")
        self.assertEqual(self.steerd.ask("x.wild.example.com", "TXT").answer[0][0].to_text(), '"wild"')

    def test_truncation_and_tcp(self):
        small = self.steerd.ask("big.example.com", "TXT")
        self.assertTrue(small.flags & dns.flags.TC)
        self.assertEqual(small.answer, [])
        whole = self.steerd.ask("big.example.com", "TXT", tcp=True)
        self.assertEqual(len(whole.answer[0][0].strings), 20)

    def test_ipv6_transport(self):
        query = dns.message.make_query("static.example.com", "A")
        answer = dns.query.udp(query, "::1", port=self.port6, timeout=3)
        self.assertEqual(str(answer.answer[0][0]), "192.0.2.9")

    def test_weighted_shares(self):
        hits = sum(self.steerd.addresses("canary.example.com") == ["192.0.2.1"] for _ in range(400))
        self.assertTrue(320 < hits < 395, hits)  # 360 expected, sigma 6

    def test_case_is_echoed_and_ignored(self):
        answer = self.steerd.ask("StAtIc.ExAmPlE.cOm")
        self.assertEqual(str(answer.question[0].name), "StAtIc.ExAmPlE.cOm.")
        self.assertEqual(len(answer.answer), 1)

    def test_dig_and_kdig_and_drill_agree(self):
        for tool in (["dig", "+short", "-p", str(self.steerd.port), "@127.0.0.1"],
                     ["kdig", "+short", "-p", str(self.steerd.port), "@127.0.0.1"],
                     ["drill", "-Q", "-p", str(self.steerd.port), "@127.0.0.1"]):
            out = subprocess.run([*tool, "static.example.com", "A"], capture_output=True, text=True,
                                 timeout=10).stdout
            self.assertIn("192.0.2.9", out, tool[0])

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.steerd.port), timeout=5)
        s.settimeout(5)
        return s

    @staticmethod
    def frame(wire):
        return struct.pack("!H", len(wire)) + wire

    @staticmethod
    def read_messages(s, count):
        data, out = b"", []
        while len(out) < count:
            chunk = s.recv(65536)
            if not chunk:
                break
            data += chunk
            while len(data) >= 2 and len(data) >= 2 + struct.unpack("!H", data[:2])[0]:
                size = struct.unpack("!H", data[:2])[0]
                out.append(dns.message.from_wire(data[2:2 + size]))
                data = data[2 + size:]
        return out

    def test_tcp_takes_any_split_of_the_stream(self):
        wire = self.frame(dns.message.make_query("static.example.com", "A").to_wire())
        with self.connect() as s:
            for octet in wire:
                s.sendall(bytes([octet]))
            self.assertEqual(str(self.read_messages(s, 1)[0].answer[0][0]), "192.0.2.9")

    def test_tcp_pipelining_and_half_close(self):
        queries = [dns.message.make_query(n, "A", id=i + 1) for i, n in
                   enumerate(["static.example.com", "nx.example.com", "alias.example.com"] * 50)]
        with self.connect() as s:
            s.sendall(b"".join(self.frame(q.to_wire()) for q in queries))
            s.shutdown(socket.SHUT_WR)
            answers = self.read_messages(s, len(queries))
            self.assertEqual([a.id for a in answers], [q.id for q in queries])
            self.assertEqual(s.recv(1), b"")  # then the server closes

    def test_tcp_client_that_reads_late_gets_every_answer(self):
        wire = self.frame(dns.message.make_query("big.example.com", "TXT").to_wire())
        count = 4000  # 16 MB of answers, far more than the buffers between us hold
        with self.connect() as s:
            s.settimeout(20)
            sender = threading.Thread(target=s.sendall, args=(wire * count,))
            sender.start()
            time.sleep(0.2)  # lets the buffers fill; the test holds without it too
            answers = self.read_messages(s, count)
            sender.join()
        self.assertEqual(len(answers), count)

    def test_garbage_is_met_with_silence_or_formerr(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect(("127.0.0.1", self.steerd.port))
            s.settimeout(5)
            s.send(b"short")
            response = dns.message.make_query("static.example.com", "A")
            response.flags |= dns.flags.QR
            s.send(response.to_wire())
            s.send(b"\x12\x34" + b"\x00" * 10)  # no question
            answer = s.recv(512)
            self.assertEqual(answer[:2], b"\x12\x34")  # the two before got nothing
            self.assertEqual(answer[3] & 15, dns.rcode.FORMERR)


class Lifecycle(unittest.TestCase):
    def test_sigterm_and_sigint_end_with_status_0_and_a_restart_binds_at_once(self):
        steerd = t.Steerd(BASIC, ZONES)
        try:
            port = steerd.port
            with socket.create_connection(("127.0.0.1", port)):
                started = time.monotonic()
                self.assertEqual(steerd.stop(signal.SIGTERM), 0)
                self.assertLess(time.monotonic() - started, 5)
            text = (steerd.folder / "steerd.toml").read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}")
            (steerd.folder / "steerd.toml").write_text(text)
            steerd.start()
            self.assertEqual(steerd.port, port)
            self.assertEqual(steerd.addresses("static.example.com"), ["192.0.2.9"])
            self.assertEqual(steerd.stop(signal.SIGINT), 0)
        finally:
            steerd.close()

    def test_a_second_server_on_the_port_is_refused_with_a_clear_error(self):
        with t.Steerd(BASIC, ZONES) as steerd:
            other = BASIC.replace("[geo]", "[geo]", 1)
            folder = steerd.folder
            (folder / "second.toml").write_text(
                f'[server]\nlisten = ["127.0.0.1:{steerd.port}"]\n' + other)
            done = t.run_steerd("serve", "-c", str(folder / "second.toml"))
            self.assertEqual(done.returncode, 1)
            self.assertIn("Address already in use", done.stderr)

    def test_inherited_sockets_are_used(self):
        listen = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listen.bind(("127.0.0.1", 0))
        port = listen.getsockname()[1]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("127.0.0.1", port))
        listen.listen()
        folder = pathlib.Path(t.tempfile.mkdtemp())
        for name, text in ZONES.items():
            (folder / name).write_text(text)
        (folder / "steerd.toml").write_text(
            f'[server]\nlisten = ["127.0.0.1:{port}"]\nworkers = 2\n' + BASIC)

        def child():
            os.dup2(udp.fileno(), 100)
            os.dup2(listen.fileno(), 101)
            os.dup2(100, 3)
            os.dup2(101, 4)
            os.environ["LISTEN_FDS"] = "2"
            os.environ["LISTEN_PID"] = str(os.getpid())
            os.execv(t.STEERD, [t.STEERD, "serve", "-c", str(folder / "steerd.toml")])

        pid = os.fork()
        if pid == 0:
            try:
                os.set_inheritable(3, True)
            finally:
                child()
        try:
            query = dns.message.make_query("static.example.com", "A")
            for ask in (dns.query.udp, dns.query.tcp):
                answer = ask(query, "127.0.0.1", port=port, timeout=15)  # waits in the socket's buffer
                self.assertEqual(str(answer.answer[0][0]), "192.0.2.9")
        finally:
            os.kill(pid, signal.SIGTERM)
            self.assertEqual(os.waitpid(pid, 0)[1], 0)
            udp.close()
            listen.close()
            t.shutil.rmtree(folder)

    def test_ready_is_told_to_the_service_manager(self):
        path = t.tempfile.mktemp()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.bind(path)
            s.settimeout(20)

            def said():
                """The next word on the server's state; sockets given to the store are none (test_systemd.py)."""
                while (word := s.recv(4096)).startswith(b"FDSTORE"):
                    pass
                return word
            with t.Steerd(BASIC, ZONES, env={**os.environ, "NOTIFY_SOCKET": path}) as steerd:
                self.assertIn(b"READY=1", said())
                steerd.reload()
                self.assertIn(b"RELOADING=1", said())
                self.assertIn(b"READY=1", said())
            self.assertIn(b"STOPPING=1", said())
        os.unlink(path)

    def test_wildcard_listening_address_answers_from_the_address_that_was_asked(self):
        config = '[server]\nlisten = ["0.0.0.0:0"]\nworkers = 1\n' + BASIC
        with t.Steerd(config, ZONES) as steerd:
            for address in ("127.0.0.1", "127.0.0.7", "127.1.2.3"):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                    s.settimeout(5)
                    s.sendto(dns.message.make_query("static.example.com", "A").to_wire(),
                             (address, steerd.port))
                    self.assertEqual(s.recvfrom(2048)[1], (address, steerd.port))


class Reloading(unittest.TestCase):
    def test_a_bad_zone_file_keeps_its_last_good_copy_while_others_go_on(self):
        with t.Steerd(BASIC, ZONES) as steerd:
            steerd.write("example.com.zone", t.zone_text(records="broken A not-an-address\n"))
            steerd.write("sub.zone", t.zone_text("sub.example.com.", "www A 192.0.2.78\n"))
            mark = len(steerd.lines)
            steerd.reload("kept its last good copy")
            self.assertTrue(any("example.com.zone:5:" in l for l in steerd.lines[mark:]))
            self.assertEqual(steerd.addresses("static.example.com"), ["192.0.2.9"])
            self.assertEqual(steerd.addresses("www.sub.example.com"), ["192.0.2.78"])

    def test_a_bad_configuration_changes_nothing(self):
        with t.Steerd(BASIC, ZONES) as steerd:
            text = (steerd.folder / "steerd.toml").read_text()
            (steerd.folder / "steerd.toml").write_text(text.replace('to = "tokyo" }', 'to = "tokio" }', 1))
            self.assertEqual(steerd.reload(), "reload refused")
            self.assertTrue(any("tokio" in l and "tokyo" in l for l in steerd.lines))
            self.assertEqual(steerd.addresses("www.example.com", subnet="10.1.0.0/24"), ["192.0.2.1"])

    def test_a_zone_that_is_bad_at_start_answers_servfail_and_the_others_serve(self):
        zones = dict(ZONES, **{"sub.zone": "not a zone"})
        with t.Steerd(BASIC, zones) as steerd:
            self.assertEqual(steerd.ask("www.sub.example.com").rcode(), dns.rcode.SERVFAIL)
            self.assertEqual(steerd.addresses("static.example.com"), ["192.0.2.9"])
            steerd.write("sub.zone", ZONES["sub.zone"])
            self.assertEqual(steerd.reload(), "reloaded")
            self.assertEqual(steerd.addresses("www.sub.example.com"), ["192.0.2.77"])

    def test_changed_server_keys_wait_for_a_restart(self):
        with t.Steerd(BASIC, ZONES) as steerd:
            text = (steerd.folder / "steerd.toml").read_text()
            (steerd.folder / "steerd.toml").write_text(text.replace("workers = 2", "workers = 1"))
            mark = len(steerd.lines)
            steerd.reload("reloaded")
            self.assertTrue(any("wait for a restart" in l for l in steerd.lines[mark:]))


class Health(unittest.TestCase):
    CONFIG = """
[probes.web]
type = "http"
port = {port}
interval = "200ms"
timeout = "100ms"
fast_interval = "100ms"
fall = 2
rise = 2
[endpoints.one]
addresses = ["127.0.40.1"]
probes = ["web"]
[endpoints.two]
addresses = ["127.0.40.2"]
probes = ["web"]
[routes.www]
policy = "failover"
members = ["one", "two"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = {{ route = "www", ttl = "10s", ttl_min = "1s" }}
"""

    def test_an_endpoint_that_dies_is_left_and_health_survives_reload_and_restart(self):
        with t.Sites(["127.0.40.1"]) as one, t.Sites(["127.0.40.2"], one.port):
            with t.Steerd(self.CONFIG.format(port=one.port), {"example.com.zone": t.zone_text()}) as steerd:
                self.assertEqual(steerd.addresses("www.example.com"), ["127.0.40.1"])
                one.kill()
                t.wait_until(lambda: steerd.addresses("www.example.com") == ["127.0.40.2"], 10, "failover")
                self.assertEqual(steerd.reload(), "reloaded")
                self.assertEqual(steerd.addresses("www.example.com"), ["127.0.40.2"])
                state = steerd.folder / "state" / "state.json"
                t.wait_until(lambda: state.exists() and "127.0.40.1" in state.read_text(), 5, "state file")
                self.assertEqual(steerd.stop(), 0)
                steerd.start()
                # Restored health is known at once: no answer names the dead one, not even the first.
                self.assertEqual(steerd.addresses("www.example.com"), ["127.0.40.2"])
                one.start()
                t.wait_until(lambda: steerd.addresses("www.example.com") == ["127.0.40.1"], 10, "failback")

    def test_all_down_serves_all_with_a_short_ttl(self):
        with socket.create_server(("127.0.40.9", 0)) as once:
            port = once.getsockname()[1]  # nobody listens there from now on
        with t.Steerd(self.CONFIG.format(port=port), {"example.com.zone": t.zone_text()}) as steerd:
            answer = steerd.ask("www.example.com")
            self.assertEqual(str(answer.answer[0][0]), "127.0.40.1")
            self.assertEqual(t.ttl_of(answer), 1)


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(t.tempfile.mkdtemp())
        for name, text in ZONES.items():
            (self.folder / name).write_text(text)
        self.config = self.folder / "steerd.toml"
        self.config.write_text('[server]\nlisten = ["127.0.0.1:0"]\n' + BASIC)

    def tearDown(self):
        t.shutil.rmtree(self.folder)

    def test_check_accepts_and_refuses(self):
        good = t.run_steerd("check", "-c", str(self.config))
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
        self.config.write_text(self.config.read_text() + '\n[routes.bad]\npolicy = "failover"\nmembers = ["nobody"]\n')
        bad = t.run_steerd("check", "-c", str(self.config))
        self.assertEqual(bad.returncode, 1)
        self.assertRegex(bad.stdout, r"steerd\.toml:\d+:\d+: error: .*nobody")
        parsed = json.loads(t.run_steerd("check", "--json", "-c", str(self.config)).stdout)
        self.assertFalse(parsed["ok"])
        self.assertTrue(any("nobody" in p["message"] for p in parsed["problems"]))

    def test_check_names_a_bad_zone_file(self):
        (self.folder / "sub.zone").write_text("@ SOA broken\n")
        done = t.run_steerd("check", "-c", str(self.config))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"sub\.zone:1")

    def test_explain_tells_why_and_is_what_serve_answers(self):
        done = t.run_steerd("explain", "-c", str(self.config), "www.example.com", "A",
                            "--client", "10.1.2.0/24", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        e = json.loads(done.stdout)
        self.assertEqual(e["question"], {"name": "www.example.com.", "type": "A"})
        self.assertEqual(e["client"]["address"], "10.1.2.0")
        self.assertEqual(e["client"]["prefix"], 24)
        self.assertEqual(e["client"]["place"]["country"], "JP")
        self.assertEqual(e["decision"]["endpoints"], ["tokyo"])
        self.assertEqual(e["decision"]["scope"], 16)
        self.assertEqual(e["decision"]["ttl"], 60)
        self.assertEqual(e["answer"], {**e["answer"], "rcode": "NOERROR",
                                       "records": ["www.example.com. 60 IN A 192.0.2.1"]})
        chosen = [m["name"] for m in e["decision"]["steps"][0]["members"] if m["chosen"]]
        self.assertEqual(chosen, ["tokyo"])

    def test_explain_with_an_endpoint_down(self):
        done = t.run_steerd("explain", "-c", str(self.config), "safe.example.com", "A", "--client",
                            "10.1.2.3", "--down", "tokyo", "--json")
        self.assertEqual(json.loads(done.stdout)["decision"]["endpoints"], ["frankfurt"])
        all_down = t.run_steerd("explain", "-c", str(self.config), "safe.example.com", "A", "--client",
                                "10.1.2.3", "--down", "tokyo", "--down", "frankfurt", "--json")
        e = json.loads(all_down.stdout)
        self.assertEqual(e["decision"]["endpoints"], ["sorry"])
        self.assertIn("CNAME sorry.example.net.", e["answer"]["records"][0])

    def test_wrong_usage_is_status_2(self):
        self.assertEqual(t.run_steerd("explain", "x").returncode, 2)
        self.assertEqual(t.run_steerd("nonsense").returncode, 2)
        self.assertEqual(t.run_steerd("check", "--nonsense").returncode, 2)
        self.assertEqual(t.run_steerd().returncode, 2)
        self.assertEqual(t.run_steerd("--version").returncode, 0)
        self.assertEqual(t.run_steerd("help", "check").returncode, 0)

    def test_serve_refuses_a_broken_configuration_with_all_problems(self):
        self.config.write_text('[server]\nlisten = ["nonsense"]\nworkerz = 1\n' + BASIC)
        done = t.run_steerd("serve", "-c", str(self.config))
        self.assertEqual(done.returncode, 1)
        self.assertIn("nonsense", done.stderr)
        self.assertIn("workers", done.stderr)


if __name__ == "__main__":
    t.main()
