"""What attackers find: over UDP, nothing worth reflecting without a cookie, no more than a rate to one
prefix, requests other than queries refused without work; and that whoever proves his address is served."""
import json
import socket
import struct
import subprocess
import unittest

import dns.edns
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype

import admin_http
import steerd_test as t

CONFIG = """
[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
workers = 1
identity = "%s"
version = "steerd"
[server.rate_limit]
responses_per_second = 50
exempt = ["127.0.9.0/24"]
%s
[admin]
listen = ["unix:state/admin.sock"]
[geo]
country_table = "geo"
[endpoints.ring]
addresses = [%s]
[endpoints.far]
cname = "%s.example.net"
[routes.many]
policy = "multivalue"
members = ["ring"]
max_answers = 32
[routes.away]
policy = "failover"
members = ["far"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"many" = { route = "many", ttl = "60s" }
"away" = { route = "away", ttl = "60s" }
[zones."bad.example"]
file = "bad.zone"
"""
ADDRESSES = ", ".join(f'"192.0.2.{i}"' for i in range(1, 17))
LABEL = "x" * 60
ZONE = t.zone_text(records=f"""www A 192.0.2.1
*.wild A 192.0.2.2
big TXT "{'a' * 250}" "{'b' * 250}" "{'c' * 250}"
huge TXT "{'a' * 250}" "{'b' * 250}" "{'c' * 250}" "{'d' * 250}" "{'e' * 250}"
""" + "".join(f"mail MX {i} {LABEL}{i}\n{LABEL}{i} A 192.0.2.{i}\nsub NS {LABEL}{i}.sub\n"
              f"{LABEL}{i}.sub A 192.0.2.{i}\n" for i in range(1, 9)) +
    f"alias CNAME {LABEL}1\nold DNAME {LABEL}.{LABEL}.example.net.\n")
ZONES = {"example.com.zone": ZONE, "bad.zone": "this is no zone\n"}
MOST = 3
COOKIE = 10
NSID = 3


def config(more="", identity="i" * 200):
    return CONFIG % (identity, more, ADDRESSES, LABEL)


class Client:
    """A socket on an address of 127/8, so that many prefixes can be played."""

    def __init__(self, steerd, address="127.0.0.1"):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))
        self.socket.connect(("127.0.0.1", steerd.port))
        self.sent = 0

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.socket.close()

    def ask(self, query, timeout=5):
        """The octets of the answer, or None."""
        self.socket.settimeout(timeout)
        self.socket.send(query)
        try:
            return self.socket.recv(65535)
        except TimeoutError:
            return None

    def flood(self, packets):
        """Answers to all, sent in handfuls that no socket's buffer loses; each handful ends with a
        question that is answered for certain, and so tells when the server is through."""
        got = []
        end = b"\xff\xfe" + query("id.server", "TXT", "CH")[2:]
        self.socket.settimeout(5)
        for at in range(0, len(packets), 25):
            handful = [*packets[at:at + 25], end]
            for packet in handful:
                self.socket.send(packet)
            self.sent += len(handful)
            while (answer := self.socket.recv(65535))[:2] != end[:2]:
                got.append(answer)
        return got


def query(name="www.example.com", rdtype="A", rdclass="IN", payload=None, options=()):
    message = dns.message.make_query(name, rdtype, rdclass, use_edns=-1)
    message.id = 1
    if payload is not None:
        message.use_edns(0, payload=payload, options=list(options))
    return message.to_wire()


def cookie_in(answer):
    for option in dns.message.from_wire(answer).options:
        if option.otype == COOKIE:
            return option.data
    return None


def truncated(answer):
    return bool(answer[2] & 2)


# Every kind of question there is an answer to.
QUESTIONS = [
    ("www.example.com", "A"), ("anything.wild.example.com", "A"), ("example.com", "SOA"),
    ("example.com", "NS"), ("example.com", "ANY"), ("www.example.com", "ANY"),
    ("big.example.com", "TXT"), ("huge.example.com", "TXT"), ("big.example.com", "ANY"),
    ("mail.example.com", "MX"), ("sub.example.com", "NS"), ("a.b.sub.example.com", "A"),
    ("sub.example.com", "DS"), ("alias.example.com", "A"), ("x.old.example.com", "A"),
    ("old.example.com", "DNAME"), ("nothing.example.com", "A"), ("www.example.com", "AAAA"),
    ("many.example.com", "A"), ("many.example.com", "ANY"), ("away.example.com", "A"),
    ("away.example.com", "TXT"), ("elsewhere.test", "A"), (".", "A"), (".", "NS"), (".", "ANY"),
    ("example.com", "AXFR"), ("example.com", "IXFR"), ("bad.example", "A"), ("www.example.com", "OPT"),
    ("www.example.com", "TYPE65280"),
]
CHAOS = [("version.bind", "TXT"), ("id.server", "TXT"), ("hostname.bind", "ANY"), ("x.bind", "TXT")]


class WithoutACookie(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.steerd = t.Steerd(config("errors_per_second = 0"), ZONES)

    @classmethod
    def tearDownClass(cls):
        cls.steerd.close()

    def queries(self):
        subnet = dns.edns.ECSOption("203.0.113.0", 24)
        subnet6 = dns.edns.ECSOption("2001:db8::", 56)
        nsid = dns.edns.GenericOption(NSID, b"")
        half = dns.edns.GenericOption(COOKIE, b"\1" * 8)
        forged = dns.edns.GenericOption(COOKIE, b"\1" * 24)
        for options in (None, (), (nsid,), (subnet, nsid), (subnet6,), (half,), (forged, nsid),
                        (half, subnet, nsid)):
            for payload in (None,) if options is None else (512, 1232, 4096):
                for name, rdtype in QUESTIONS:
                    if rdtype != "OPT" or payload is None:
                        yield query(name, rdtype, "IN", payload, options or ())
                for name, rdtype in CHAOS:
                    yield query(name, rdtype, "CH", payload, options or ())

    def test_nothing_is_amplified_more_than_three_times(self):
        worst, seen, short = 0.0, 0, 0
        for number, packet in enumerate(self.queries()):
            # From many prefixes: it is not the rate that is looked at.
            with Client(self.steerd, f"127.1.{number % 250}.{number // 250 + 1}") as client:
                answer = client.ask(packet)
            self.assertIsNotNone(answer, packet)
            ratio = len(answer) / len(packet)
            self.assertLessEqual(ratio, MOST, dns.message.from_wire(packet))
            worst = max(worst, ratio)
            seen += 1
            short += truncated(answer)
        print(f"largest answer: {worst:.2f} times its query, of {seen} questions; {short} by TC")
        self.assertGreater(worst, 1)
        self.assertGreater(short, 20)

    def test_other_opcodes_are_refused_with_a_header_alone_or_the_question(self):
        for opcode in (1, 2, 3, 4, 5, 6, 15):
            for body in (b"", query("big.example.com", "TXT")[12:]):
                packet = struct.pack("!6H", 7, opcode << 11, 1 if body else 0, 0, 0, 0) + body
                with Client(self.steerd) as client:
                    answer = client.ask(packet)
                self.assertEqual(answer[3] & 15, dns.rcode.NOTIMP)
                self.assertEqual(len(answer), len(packet))

    def test_a_cookie_gets_the_whole_answer(self):
        half = dns.edns.GenericOption(COOKIE, b"\1" * 8)
        with Client(self.steerd, "127.2.0.1") as client:
            first = client.ask(query("big.example.com", "TXT", payload=1232, options=[half]))
            self.assertEqual(dns.message.from_wire(first).rcode(), dns.rcode.BADCOOKIE)
            good = dns.edns.GenericOption(COOKIE, cookie_in(first))
            whole = client.ask(query("big.example.com", "TXT", payload=1232, options=[good]))
        self.assertEqual(dns.message.from_wire(whole).rcode(), dns.rcode.NOERROR)
        self.assertGreater(len(whole), 750)
        # Of another address it is worth nothing.
        with Client(self.steerd, "127.2.1.1") as client:
            self.assertLess(len(client.ask(query("big.example.com", "TXT", payload=1232, options=[good]))),
                            200)

    def test_tcp_and_exempt_prefixes_get_the_whole_answer(self):
        whole = self.steerd.ask("big.example.com", "TXT", tcp=True)
        self.assertGreater(len(whole.to_wire()), 750)
        with Client(self.steerd, "127.0.9.9") as client:
            self.assertGreater(len(client.ask(query("big.example.com", "TXT", payload=1232))), 750)
        with Client(self.steerd, "127.0.8.9") as client:
            self.assertTrue(truncated(client.ask(query("big.example.com", "TXT", payload=1232))))

    def test_a_resolver_falls_back_to_tcp_by_itself(self):
        message = dns.message.make_query("big.example.com", "TXT", use_edns=0)
        reply, by_tcp = dns.query.udp_with_fallback(message, "127.0.0.1", timeout=5, port=self.steerd.port)
        self.assertTrue(by_tcp)
        self.assertEqual(len(reply.answer[0][0].strings), 3)


class Flood(unittest.TestCase):
    def setUp(self):
        self.steerd = t.Steerd(config(identity="i"), ZONES)
        self.addCleanup(self.steerd.close)
        self.admin = admin_http.Admin(self.steerd)

    def answers(self):
        return json.loads(self.admin.get("/api/v1/status").text)["answers"]

    def test_a_prefix_gets_its_rate_and_then_every_second_one_short(self):
        with Client(self.steerd, "127.3.0.1") as client:
            got = client.flood([query("www.example.com")] * 250)
        whole = [a for a in got if not truncated(a)]
        short = [a for a in got if truncated(a)]
        # The machine may take a moment longer than the burst: a few more pass then.
        self.assertGreaterEqual(len(whole), 50)
        self.assertLess(len(whole), 80)
        self.assertEqual(len(short), (250 - len(whole)) // 2)
        for answer in short:
            self.assertEqual((len(answer), answer[3] & 15), (len(query("www.example.com")), 0))
        with Client(self.steerd, "127.3.0.200") as client:  # the same prefix, other records
            self.assertFalse(truncated(client.ask(query("y.wild.example.com"))))
            self.assertEqual(len(client.flood([query("x.wild.example.com")] * 10)), 10)
        with Client(self.steerd, "127.3.1.1") as client:  # another prefix
            self.assertFalse(truncated(client.ask(query("www.example.com"))))
        limited = self.answers()["limited"]["response"]
        self.assertEqual(limited["slipped"], len(short))
        self.assertEqual(limited["dropped"], 250 - len(got))

    def test_random_names_of_a_zone_and_of_a_wildcard_are_one(self):
        for name, kind, rcode in (("example.com", "nxdomain", 3), ("wild.example.com", "response", 0)):
            with Client(self.steerd, "127.4.0.1") as client:
                got = client.flood([query(f"r{i}.{name}") for i in range(250)])
            self.assertLess(sum(not truncated(a) for a in got), 100)
            self.assertGreaterEqual(sum(not truncated(a) for a in got), 50)
            self.assertEqual({a[3] & 15 for a in got}, {rcode})
            self.assertGreater(self.answers()["limited"][kind]["dropped"], 50)

    def test_who_speaks_cookies_is_given_one_and_then_served(self):
        half = dns.edns.GenericOption(COOKIE, b"\2" * 8)
        with Client(self.steerd, "127.5.0.1") as client:
            got = client.flood([query("www.example.com", payload=1232, options=[half])] * 250)
            bad = [a for a in got if dns.message.from_wire(a).rcode() == dns.rcode.BADCOOKIE]
            self.assertGreater(len(bad), 50)
            good = dns.edns.GenericOption(COOKIE, cookie_in(bad[0]))
            asked = query("www.example.com", payload=1232, options=[good])
            got = client.flood([asked] * 250)
        self.assertEqual(len(got), 250)
        self.assertFalse(any(truncated(a) for a in got))

    def test_tcp_and_exempt_prefixes_are_never_limited(self):
        with Client(self.steerd, "127.0.0.1") as client:
            client.flood([query("www.example.com")] * 250)
        for _ in range(20):
            self.assertEqual(self.steerd.addresses("www.example.com", tcp=True), ["192.0.2.1"])
        with Client(self.steerd, "127.0.9.1") as client:
            self.assertEqual(len(client.flood([query("www.example.com")] * 250)), 250)

    def test_what_was_limited_is_told(self):
        with Client(self.steerd, "127.6.0.1") as client:
            for name in ("elsewhere.test", "www.example.com", "nothing.example.com"):
                self.assertLess(len(client.flood([query(name)] * 200)), 180)
        asked = client.sent
        answers = self.answers()
        metrics = self.admin.get("/metrics").text
        for kind in ("error", "response", "nxdomain"):
            for action, key in (("drop", "dropped"), ("slip", "slipped")):
                count = answers["limited"][kind][key]
                self.assertGreater(count, 20)
                self.assertIn(f'steerd_rate_limited_total{{kind="{kind}",action="{action}"}} {count}\n',
                              metrics)
        self.assertEqual(answers["queries"]["udp"], asked)
        text = self.admin_text()
        self.assertIn("answers limited since the start", text)
        self.assertRegex(text, r"nxdomain +\d+ dropped +\d+ sent short")

    def admin_text(self):
        return subprocess.run([t.STEERD, "status", "-c", str(self.steerd.folder / "steerd.toml")],
                              capture_output=True, text=True, timeout=30, check=True).stdout


class Off(unittest.TestCase):
    def test_without_the_table_nothing_is_limited(self):
        text = config(identity="i")
        begin, end = text.index("[server.rate_limit]"), text.index("[admin]")
        with t.Steerd(text[:begin] + text[end:], ZONES) as steerd, Client(steerd) as client:
            self.assertEqual(len(client.flood([query("www.example.com")] * 300)), 300)
            self.assertGreater(len(client.ask(query("big.example.com", "TXT", payload=1232))), 750)


if __name__ == "__main__":
    unittest.main()
