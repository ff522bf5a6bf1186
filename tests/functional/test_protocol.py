"""What resolvers, their operators and other servers expect of an authoritative server, over real sockets:
the list of RFC 8906 section 8, cookies that other servers verify, extended errors, idle timeouts."""
import pathlib
import shutil
import socket
import struct
import subprocess
import tempfile
import unittest

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring

import steerd_test as t

CONFIG = """
[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
workers = 1
identity = "tyo-1"
version = "steerd"
cookie_secrets = "secrets"
[geo]
country_table = "geo"
[endpoints.a]
addresses = ["192.0.2.1"]
[routes.main]
policy = "failover"
members = ["a"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = { route = "main", ttl = "60s" }
[zones."broken.example"]
file = "broken.zone"
"""
LONG = "".join(f'long TXT "{number:02} {"x" * 200}"\n' for number in range(6))
ZONES = {"example.com.zone": t.zone_text(records=LONG), "broken.zone": "this is no zone\n"}
OLD, NEW = "e5e973e5a6b2a43f48e7dc849e37bfcf", "dd3bdf9344b678b185a6f5cb60fca715"
CLIENT = bytes(range(1, 9))
COOKIE, KEEPALIVE, PADDING, UNKNOWN = 10, 11, 12, 100


def soa(flags=0, name="example.com", rdtype="SOA", **edns):
    """As RFC 8906 asks: without EDNS unless it is said, and no bit that is not."""
    query = dns.message.make_query(name, rdtype, use_edns=-1)
    query.flags = flags
    if edns:
        query.use_edns(**{"edns": 0, **edns})
    return query


def options_of(reply):
    return {option.otype: option for option in reply.options}


def cookie_of(reply):
    option = options_of(reply).get(COOKIE)
    return option and option.data


def with_cookie(cookie):
    return soa(options=[dns.edns.GenericOption(COOKIE, cookie)])


class Protocol(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.steerd = t.Steerd(CONFIG, {**ZONES, "secrets": OLD + "\n"})

    @classmethod
    def tearDownClass(cls):
        cls.steerd.close()

    def ask(self, query, tcp=False):
        return (dns.query.tcp if tcp else dns.query.udp)(query, "127.0.0.1", timeout=5,
                                                         port=self.steerd.port)

    def is_soa(self, reply, edns=-1):
        self.assertEqual(reply.rcode(), dns.rcode.NOERROR)
        self.assertEqual([r.rdtype for r in reply.answer], [dns.rdatatype.SOA])
        self.assertTrue(reply.flags & dns.flags.AA)
        self.assertEqual(reply.edns, edns)

    def is_badvers(self, reply):
        self.assertEqual((reply.rcode(), reply.edns), (dns.rcode.BADVERS, 0))
        self.assertEqual((reply.answer, reply.options), ([], ()))

    def test_rfc8906_plain_queries(self):
        self.is_soa(self.ask(soa()))  # 8.1.1
        unknown = self.ask(soa(rdtype="TYPE1000"))  # 8.1.2
        self.assertEqual((unknown.rcode(), unknown.answer), (dns.rcode.NOERROR, []))
        self.assertTrue(unknown.flags & dns.flags.AA)
        for flag in (dns.flags.CD, dns.flags.AD, 0x0040, dns.flags.RD):  # 8.1.3
            reply = self.ask(soa(flag))
            self.is_soa(reply)
            self.assertEqual(reply.flags & (flag | dns.flags.RA),
                             dns.flags.RD if flag == dns.flags.RD else 0)
        self.is_soa(self.ask(soa(), tcp=True))  # 8.1.5

    def test_rfc8906_unknown_opcodes(self):  # 8.1.4: a header alone, too
        for opcode in (1, 2, 3, 4, 5, 6, 15):
            for body in (b"", soa().to_wire()[12:]):
                packet = struct.pack("!6H", 0x4242, opcode << 11, 1 if body else 0, 0, 0, 0) + body
                reply = self.raw(packet)
                self.assertEqual(reply[:2], packet[:2])
                self.assertEqual((reply[2] >> 3 & 15, reply[3] & 15), (opcode, dns.rcode.NOTIMP))
                self.assertEqual(struct.unpack("!3H", reply[6:12]), (0, 0, 0))

    def test_a_signed_query_is_told_that_its_key_is_unknown(self):
        ring = dns.tsigkeyring.from_text({"key.test.": "c2VjcmV0c2VjcmV0c2VjcmV0"})
        for edns in (-1, 0):
            for tcp in (False, True):
                query = dns.message.make_query("example.com", "SOA", use_edns=edns)
                query.use_tsig(ring)
                with self.assertRaises(dns.tsig.PeerBadKey):
                    self.ask(query, tcp)

    def raw(self, packet):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5)
            sock.connect(("127.0.0.1", self.steerd.port))
            sock.send(packet)
            return sock.recv(65535)

    def test_rfc8906_edns(self):
        self.is_soa(self.ask(soa(edns=0)), edns=0)  # 8.2.1
        self.is_badvers(self.ask(soa(edns=100)))  # 8.2.2
        unknown = dns.edns.GenericOption(UNKNOWN, b"")
        reply = self.ask(soa(options=[unknown]))  # 8.2.3
        self.is_soa(reply, edns=0)
        self.assertEqual(reply.options, ())
        reply = self.ask(soa(ednsflags=0x0040))  # 8.2.4
        self.is_soa(reply, edns=0)
        self.assertEqual(reply.ednsflags & 0xFFFF, 0)
        self.is_badvers(self.ask(soa(edns=1, ednsflags=(1 << 16) | 0x0040)))  # 8.2.5
        self.is_badvers(self.ask(soa(edns=100, options=[unknown])))  # 8.2.6
        reply = self.ask(soa(name="long.example.com", rdtype="TXT", payload=512, ednsflags=0x8000))
        self.assertTrue(reply.flags & dns.flags.TC)  # 8.2.7
        self.assertEqual((reply.edns, reply.ednsflags & 0x8000), (0, 0x8000))
        reply = self.ask(soa(ednsflags=0x8000))  # 8.2.8
        self.is_soa(reply, edns=0)
        self.assertEqual(reply.ednsflags & 0xFFFF, 0x8000)
        reply = self.ask(soa(edns=1, ednsflags=(1 << 16) | 0x8000))  # 8.2.9
        self.is_badvers(reply)
        options = [dns.edns.GenericOption(code, value) for code, value in
                   ((3, b""), (9, b""), (COOKIE, CLIENT))] + [dns.edns.ECSOption("0.0.0.0", 0)]
        reply = self.ask(soa(options=options))  # 8.2.10
        self.is_soa(reply, edns=0)
        self.assertEqual(set(options_of(reply)), {3, 8, COOKIE})

    def test_a_client_subnet_of_no_family_is_none(self):
        subnet = dns.edns.GenericOption(8, bytes(4))
        query = soa(name="www.example.com", rdtype="A", options=[subnet]).to_wire()
        reply = self.raw(query)
        self.assertEqual(reply[3] & 15, dns.rcode.NOERROR)
        self.assertTrue(reply.endswith(b"\0\x08\0\4" + bytes(4)), "as it came")

    def test_padding_and_other_known_options_change_nothing(self):
        for code, value in ((PADDING, bytes(64)), (KEEPALIVE, b""), (15, b"\0\0"), (65001, b"x")):
            self.is_soa(self.ask(soa(options=[dns.edns.GenericOption(code, value)])), edns=0)

    def test_idle_timeout_is_told_over_tcp(self):
        query = soa(options=[dns.edns.GenericOption(KEEPALIVE, b"")])
        self.assertEqual(options_of(self.ask(query, tcp=True))[KEEPALIVE].data, b"\0\x64")
        self.assertEqual(self.ask(query).options, ())

    def test_extended_errors_tell_why(self):
        def error(name, rdtype="A"):
            reply = self.ask(soa(name=name, rdtype=rdtype, edns=0))
            option = options_of(reply).get(15)
            return dns.rcode.to_text(reply.rcode()), option and int(option.code)
        self.assertEqual(error("www.example.com"), ("NOERROR", None))
        self.assertEqual(error("example.net"), ("REFUSED", 20))
        self.assertEqual(error("x.broken.example"), ("SERVFAIL", 24))
        self.assertEqual(error("example.com", "AXFR"), ("REFUSED", 18))
        self.assertEqual(error("www.example.com", "IXFR"), ("NOTAUTH", 20))

    def test_class_ch_tells_what_is_configured(self):
        for name, text in (("id.server", b"tyo-1"), ("version.bind", b"steerd")):
            query = dns.message.make_query(name, "TXT", "CH")
            self.assertEqual(self.ask(query).answer[0][0].strings, (text,))
        self.assertEqual(self.ask(dns.message.make_query("authors.bind", "TXT", "CH")).rcode(),
                         dns.rcode.REFUSED)

    def test_dig_and_kdig_are_pleased(self):
        def lines(program, *words):
            done = subprocess.run([program, "@127.0.0.1", "-p", str(self.steerd.port), *words],
                                  capture_output=True, text=True, timeout=20)
            return done.stdout
        text = lines("dig", "+norec", "+subnet=0", "+nsid", "www.example.com")
        self.assertIn("status: NOERROR", text)
        self.assertRegex(text, r"CLIENT-SUBNET: 0.0.0.0/0/0")
        self.assertRegex(text, r"COOKIE: [0-9a-f]{48} \(good\)")
        self.assertIn('("tyo-1")', text)
        self.assertIn("EDE: 20 (Not Authoritative): (no zone of ours)",
                      lines("dig", "+norec", "example.net"))
        self.assertIn("TCP KEEPALIVE: 10.0 secs",
                      lines("dig", "+tcp", "+keepalive", "www.example.com"))
        self.assertIn("status: NOERROR", lines("kdig", "+cookie", "+padding", "www.example.com"))

    def test_a_cookie_without_a_question(self):
        packet = with_cookie(CLIENT).to_wire()
        packet = packet[:4] + b"\0\0" + packet[6:12] + packet[12 + len(soa().to_wire()) - 12:]
        reply = dns.message.from_wire(self.raw(packet))
        self.assertEqual((reply.rcode(), len(cookie_of(reply))), (dns.rcode.NOERROR, 24))


def free_port():
    """Free for UDP and TCP a moment ago; the server that gets it cannot be told 0."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
        tcp.bind(("127.0.0.1", 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.bind(("127.0.0.1", tcp.getsockname()[1]))
            return tcp.getsockname()[1]


class Others:
    """BIND and Knot as servers that insist on cookies, NSD as one that gives them."""

    FILES = {
        "named.conf": """options {{ directory "{folder}"; listen-on port {port} {{ 127.0.0.1; }};
            listen-on-v6 {{ none; }}; pid-file "pid"; session-keyfile "key"; recursion no;
            cookie-algorithm siphash24; cookie-secret "{secret}"; require-server-cookie yes; }};
            controls {{ }};
            zone "example.com" {{ type primary; file "example.com.zone"; }};\n""",
        "knot.conf": """server:
    rundir: {folder}
    listen: 127.0.0.1@{port}
database:
    storage: {folder}/knot
mod-cookies:
  - id: default
    secret: 0x{secret}
    badcookie-slip: 1
template:
  - id: default
    storage: {folder}
    global-module: mod-cookies/default
zone:
  - domain: example.com
    file: example.com.zone
""",
        "nsd.conf": """server:
  ip-address: 127.0.0.1
  port: {port}
  zonesdir: "{folder}"
  database: ""
  username: ""
  chroot: ""
  pidfile: ""
  xfrdfile: ""
  zonelistfile: "{folder}/zones.list"
  xfrdir: "{folder}"
  server-count: 1
  answer-cookie: yes
  cookie-secret: "{secret}"
remote-control:
  control-enable: no
zone:
  name: example.com
  zonefile: example.com.zone
"""}
    COMMANDS = {"named.conf": ["named", "-g", "-c"], "knot.conf": ["knotd", "-c"],
                "nsd.conf": ["nsd", "-d", "-c"]}

    def __init__(self, conf, secret):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="steerd-cookies-"))
        (self.folder / "knot").mkdir()
        (self.folder / "example.com.zone").write_text(t.zone_text())
        self.port = free_port()
        (self.folder / conf).write_text(self.FILES[conf].format(
            folder=self.folder, port=self.port, secret=secret))
        self.process = subprocess.Popen([*self.COMMANDS[conf], str(self.folder / conf)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            t.wait_until(self.answers, 20, f"{conf}: an answer")
        except AssertionError:
            self.close()
            raise

    def answers(self):
        try:
            return self.ask(soa(), timeout=0.3)
        except (dns.exception.Timeout, OSError):
            return None

    def ask(self, query, timeout=5):
        return dns.query.udp(query, "127.0.0.1", timeout=timeout, port=self.port)

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


class SharedSecrets(unittest.TestCase):
    def setUp(self):
        self.steerd = t.Steerd(CONFIG, {**ZONES, "secrets": OLD + "\n"})
        self.addCleanup(self.steerd.close)

    def cookie(self, cookie=CLIENT):
        return cookie_of(dns.query.udp(with_cookie(cookie), "127.0.0.1", timeout=5,
                                       port=self.steerd.port))

    def accepts(self, cookie):
        """A cookie that is good and young comes back as it was."""
        return self.cookie(cookie) == cookie

    def test_cookies_of_bind_knot_and_nsd_are_ours_and_ours_theirs(self):
        for conf, insists in (("named.conf", True), ("knot.conf", True), ("nsd.conf", False)):
            if not shutil.which(Others.COMMANDS[conf][0]):
                self.skipTest("needs " + Others.COMMANDS[conf][0])
            other = Others(conf, OLD)
            self.addCleanup(other.close)
            first = other.ask(with_cookie(CLIENT))
            self.assertTrue(self.accepts(cookie_of(first)), conf)
            if insists:
                forged = self.cookie()[:-1] + bytes([self.cookie()[-1] ^ 1])
                self.assertEqual(first.rcode(), dns.rcode.BADCOOKIE, conf)
                self.assertEqual(other.ask(with_cookie(forged)).rcode(), dns.rcode.BADCOOKIE, conf)
            self.assertEqual(other.ask(with_cookie(self.cookie())).rcode(), dns.rcode.NOERROR, conf)

    def test_secrets_are_exchanged_by_reloads(self):
        def exchange(text):
            self.steerd.write("secrets", text)
            self.assertIn("reloaded", self.steerd.reload())
        of_old = self.cookie()
        exchange(f"{OLD}\n{NEW}\n")
        self.assertTrue(self.accepts(of_old), "nothing has changed for clients")
        exchange(f"{NEW}\n{OLD}\n")
        of_new = self.cookie(of_old)
        self.assertNotEqual(of_new, of_old, "the first secret makes cookies")
        self.assertTrue(self.accepts(of_new))
        exchange(f"{NEW}\n")
        self.assertTrue(self.accepts(of_new))
        self.assertFalse(self.accepts(of_old))
        self.steerd.write("secrets", "nothing of use\n")
        self.assertIn("refused", self.steerd.reload())
        self.assertTrue(self.accepts(of_new), "what was in force stays")


if __name__ == "__main__":
    unittest.main()
