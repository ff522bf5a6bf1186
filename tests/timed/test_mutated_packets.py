"""A million mutated packets at a running server: it stays up, keeps answering, and its memory stays
flat. Seeded; half of the packets are small changes of good queries, the hardest kind."""
import pathlib
import random
import socket
import sys
import unittest

import dns.edns
import dns.message

import steerd_test as t

COUNT = 1_000_000
CONFIG = """
[endpoints.a]
addresses = ["192.0.2.1", "2001:db8::1"]
[endpoints.b]
addresses = ["192.0.2.2", "2001:db8::2"]
[routes.www]
policy = "weighted"
members = ["a", "b"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = { route = "www", ttl = "30s" }
"""
RECORDS = "static A 192.0.2.9\nalias CNAME www\nd DNAME static\nsub NS ns.sub\nns.sub A 192.0.2.5\n*.w TXT x\n"


def seeds():
    out = []
    for name in ("www", "static", "alias", "x.d", "host.sub", "a.w", "nx", ""):
        for rdtype in ("A", "AAAA", "ANY", "TXT"):
            query = dns.message.make_query(f"{name}.example.com".lstrip("."), rdtype)
            out.append(query.to_wire())
            query.use_edns(0, payload=1232, options=[dns.edns.ECSOption("10.1.2.0", 24),
                                                     dns.edns.GenericOption(3, b""),
                                                     dns.edns.GenericOption(10, b"12345678")])
            out.append(query.to_wire())
    return out


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


class MutatedPackets(unittest.TestCase):
    def test_a_million_mutated_packets_leave_the_server_as_it_was(self):
        rng = random.Random(20261120)
        good = seeds()
        with t.Steerd(CONFIG, {"example.com.zone": t.zone_text(records=RECORDS)}) as steerd:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.connect(("127.0.0.1", steerd.port))
                s.setblocking(False)
                settled = answers = 0
                for i in range(COUNT):
                    packet = bytearray(rng.choice(good))
                    kind = i & 3
                    for _ in range(1 + kind * 3):
                        packet[rng.randrange(len(packet))] = rng.getrandbits(8)
                    if kind == 3:
                        del packet[rng.randrange(len(packet)):]
                    elif kind == 2:
                        packet += rng.randbytes(rng.randrange(40))
                    try:
                        s.send(packet)
                        while True:
                            s.recv(2048)
                            answers += 1
                    except (BlockingIOError, ConnectionRefusedError):
                        pass
                    if i == COUNT // 10:
                        settled = resident_kib(steerd.process.pid)
            after = resident_kib(steerd.process.pid)
            print(f"{COUNT} packets, {answers} answers, {settled} KiB then {after} KiB", file=sys.stderr)
            self.assertIsNone(steerd.process.poll())
            self.assertEqual(steerd.addresses("static.example.com"), ["192.0.2.9"])
            self.assertGreater(answers, COUNT // 4)
            self.assertLess(after, settled * 1.02 + 256)


if __name__ == "__main__":
    t.main()
