"""Random zones, the same for the same seed: few labels, so that names meet; wildcards at several depths,
empty non-terminals, chains and loops of aliases into and out of the zone, DNAME, cuts with and without
glue, occluded names, children on the same server, RRsets too large for UDP, and many types."""
import base64
import random

import model
from model import (A, AAAA, CAA, CNAME, DNAME, DS, HTTPS, MX, NAPTR, NS, PTR, SOA, SRV, SVCB, TXT)

LABELS = [b"a", b"b", b"c", b"d", b"e", b"www", b"mail", b"_tcp", b"Mixed", b"0", b"x-y"]
ODD_LABELS = [b"\0", b"sp ace", b"do.t", b"\xff\xfe", b"quo\"te", b"back\\slash", b"semi;colon", b"@", b"$x",
              b"L" * 63, b"(", b"K\xc3\xa4se"]
TTLS = [0, 1, 30, 60, 300, 3600, 86400, 604800, 2**31 - 1]
TYPE65280, SPF, LOC, TLSA, SSHFP, HINFO, RP, AFSDB, URI = 65280, 99, 29, 52, 44, 13, 17, 18, 256
PLAIN = [A, A, A, AAAA, AAAA, TXT, TXT, MX, MX, SRV, SVCB, HTTPS, CAA, NAPTR, PTR, TYPE65280, TLSA, SSHFP,
         HINFO, RP, AFSDB, LOC, URI, SPF]


class Maker:
    """Fills one zone."""

    def __init__(self, rng, zone, others):
        self.rng, self.zone, self.others = rng, zone, others
        self.ttls = rng.sample(TTLS, 3)

    def label(self):
        return self.rng.choice(ODD_LABELS if self.rng.random() < 0.06 else LABELS)

    def fresh(self, top=None, depth=None):
        """A random name below `top`, new or not."""
        top = self.zone.apex if top is None else top
        depth = depth or self.rng.choice([1, 1, 1, 2, 2, 3, 4])
        name = tuple(self.label() for _ in range(depth)) + tuple(top)
        return name if model.wire_size(name) <= 200 else (b"s",) + self.zone.apex

    def owner(self):
        """A random name that may stand already."""
        known = sorted(self.zone.names)
        roll = self.rng.random()
        if roll < 0.35:
            return self.fresh()
        if roll < 0.75:
            return self.fresh(self.rng.choice(known), self.rng.choice([1, 1, 2]))
        return self.rng.choice(known)

    def target(self):
        """Where an alias or a server name may point."""
        roll = self.rng.random()
        if roll < 0.45:
            return self.rng.choice(sorted(self.zone.names))
        if roll < 0.7:
            return self.fresh(self.rng.choice(sorted(self.zone.names)), 1)
        if roll < 0.8:
            return self.fresh()
        if roll < 0.92 and self.others:
            other = self.rng.choice(self.others)
            return self.rng.choice([other.apex, (b"www",) + other.apex, (b"a", b"b") + other.apex])
        return self.rng.choice([(b"www", b"elsewhere", b"example"), (b"test",), (), (b"x", b"com")])

    def target_text(self):
        return model.text_of(self.target())

    def kept_text(self):
        """A target for types whose text ldns reads: it takes the origin for a name that begins with \\@,
        so steerd refuses such text."""
        target = self.target()
        return model.text_of(target[1:] if target[:1] == (b"@",) else target)

    def add(self, owner, rdtype, text, ttl=None):
        if model.wire_size(owner) > 255 or owner[0] == b"*" and rdtype in (NS, DNAME):
            return False
        if "below-dname" not in self.zone.flaws:
            key = model.lower(owner)
            if any(self.zone.has(key[n:], DNAME) for n in range(1, len(key) - len(self.zone.apex) + 1)):
                return False
            if rdtype == DNAME and any(model.below(name, model.lower(owner)) and name != model.lower(owner)
                                       for name in self.zone.names):
                return False
        here = self.zone.types(model.lower(owner))
        if {rdtype} | set(here) >= {NS, DNAME} and model.lower(owner) != self.zone.apex:
            return False
        written = set(here.get(rdtype, {}).values())
        if ttl is None or written:
            # TTLs within one RRset differ only where the zone is to have that flaw.
            keep = written and not ("ttls" in self.zone.flaws and self.rng.random() < 0.5)
            ttl = min(written) if keep else self.rng.choice(self.ttls)
        return self.zone.add(owner, ttl, rdtype, text)

    def rdata(self, rdtype):
        rng = self.rng
        number = rng.randrange
        makers = {
            A: lambda: f"192.0.2.{number(256)}",
            AAAA: lambda: f"2001:db8::{number(1, 0xffff):x}",
            TXT: lambda: " ".join('"' + "".join(rng.choice("abc dé;\\\"") for _ in range(
                rng.choice([0, 1, 8, 60]))).replace("\\", "\\\\").replace('"', '\\"').replace(
                    "é", "\\233") + '"' for _ in range(rng.choice([1, 1, 2, 5]))),
            MX: lambda: f"{number(65536)} {self.target_text()}",
            SRV: lambda: f"{number(9)} {number(9)} {number(65536)} {self.target_text()}",
            SVCB: lambda: self.service(), HTTPS: lambda: self.service(),
            CAA: lambda: f'{rng.choice([0, 128])} {rng.choice(["issue", "iodef"])} "ca.example"',
            NAPTR: lambda: f'{number(9)} {number(9)} "S" "SIP+D2U" "!^.*$!sip:x@e!" {self.kept_text()}',
            PTR: self.target_text,
            TYPE65280: lambda: f"\\# {(size := number(40))} {rng.randbytes(size).hex()}",
            TLSA: lambda: f"3 1 1 {rng.randbytes(32).hex()}",
            SSHFP: lambda: f"1 1 {rng.randbytes(20).hex()}",
            HINFO: lambda: '"cpu" "os"',
            RP: lambda: f"{self.kept_text()} {self.kept_text()}",
            AFSDB: lambda: f"1 {self.kept_text()}",
            LOC: lambda: "52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m",
            URI: lambda: '10 1 "https://www.example/"',
            SPF: lambda: '"v=spf1 -all"',
            DS: lambda: f"{number(65536)} 13 2 {rng.randbytes(32).hex()}",
        }
        return makers[rdtype]()

    def service(self):
        rng = self.rng
        if rng.random() < 0.3:
            return f"0 {self.kept_text()}"
        target = "." if rng.random() < 0.4 else self.kept_text()
        parameters = [p for p in ("alpn=h2,h3", "port=8443", "ipv4hint=192.0.2.1", "ipv6hint=2001:db8::1",
                                  "key65333=abc", "ech=" + base64.b64encode(b"ech!").decode())
                      if rng.random() < 0.4]
        return " ".join([str(rng.randrange(1, 9)), target, *parameters])

    # What stands in a zone.

    def apex(self):
        apex, rng = self.zone.apex, self.rng
        minimum = rng.choice([0, 60, 3600, 86400])
        self.add(apex, SOA, f"{model.text_of((b'ns1',) + apex)} {model.text_of((b'host', b'x') + apex)} "
                 f"{rng.randrange(1, 2**32)} 3600 900 604800 {minimum}")
        # BIND refuses a zone with a server of its own that has no address.
        own = [(b"ns1",) + apex, (b"ns2", b"deep", b"Servers") + apex, apex]
        for server in own[:rng.choice([1, 2, 3])]:
            self.add(apex, NS, model.text_of(server))
            for rdtype in rng.choice([[A], [A, AAAA]]):
                self.add(server, rdtype, self.rdata(rdtype))
        if rng.random() < 0.5:
            other = rng.choice(self.others).apex
            self.add(apex, NS, rng.choice(["ns.elsewhere.example.", model.text_of((b"ns1",) + other)]))

    def plain(self):
        owner = self.owner()
        for rdtype in self.rng.sample(PLAIN, self.rng.choice([1, 1, 2, 3])):
            for _ in range(self.rng.choice([1, 1, 1, 2, 3])):
                self.add(owner, rdtype, self.rdata(rdtype))

    def wildcard(self):
        owner = (b"*",) + tuple(self.rng.choice(sorted(self.zone.names))
                                if self.rng.random() < 0.7 else self.fresh())
        if self.rng.random() < 0.3:
            self.add(owner, CNAME, self.target_text())
        else:
            for rdtype in self.rng.sample(PLAIN, self.rng.choice([1, 2])):
                self.add(owner, rdtype, self.rdata(rdtype))
        if self.rng.random() < 0.2:  # an asterisk further right is a label like any other
            self.add((self.label(),) + owner, A, self.rdata(A))

    def alias(self):
        self.add(self.owner(), CNAME, self.target_text())

    def chain(self):
        """A chain of aliases, to its end or round in a loop."""
        names = [self.fresh() for _ in range(self.rng.choice([2, 3, 4, 6, 8, 11, 14, 18, 24]))]
        end = self.rng.choice([self.target(), self.target(), names[0], names[-1]])
        for name, target in zip(names, names[1:] + [end]):
            self.add(name, CNAME, model.text_of(target))

    def dname(self):
        self.add(self.fresh(), DNAME, self.target_text())

    def long_dname(self):
        target = (b"t" * 63, b"u" * 63, b"v" * 60) + self.zone.apex[-2:]
        self.add(self.fresh(depth=1), DNAME, model.text_of(target))

    def cut(self):
        rng = self.rng
        owner = self.owner()
        if model.lower(owner) == self.zone.apex:
            return
        for _ in range(rng.choice([1, 2, 2, 3])):
            roll = rng.random()
            server = (owner if roll < 0.15 else (b"ns%d" % rng.randrange(3),) + tuple(owner)
                      if roll < 0.55 else self.target())
            if not self.add(owner, NS, model.text_of(server)):
                return
            if model.below(model.lower(server), self.zone.apex) and rng.random() < 0.7:
                for rdtype in rng.choice([[A], [AAAA], [A, A, AAAA]]):
                    self.add(server, rdtype, self.rdata(rdtype))
        # BIND takes a DS at the name of one of the zone's own servers for one at the apex.
        if rng.random() < 0.4 and model.lower(owner)[:1] not in ((b"ns1",), (b"ns2",)):
            self.add(owner, DS, self.rdata(DS))
        for _ in range(rng.choice([0, 1, 2])):  # occluded; some share the cut's own name
            rdtype = rng.choice([A, TXT, MX, NS, CNAME])
            name = self.fresh(owner, 1) if rng.random() < 0.7 else owner
            self.add(name, rdtype, self.target_text() if rdtype in (NS, CNAME) else self.rdata(rdtype))

    def crowded_cut(self):
        """More glue than 512 or 1232 octets hold."""
        owner = self.fresh(depth=1)
        for n in range(self.rng.choice([6, 13, 20])):
            server = (b"server%d" % n, b"long-enough-to-fill-room") + owner
            if not self.add(owner, NS, model.text_of(server)):
                return
            for rdtype in (A, AAAA, AAAA):
                self.add(server, rdtype, self.rdata(rdtype))

    def large(self):
        """An RRset about as large as the limits of UDP, or far larger."""
        owner, rng = self.fresh(), self.rng
        count = rng.choice([4, 20, 25, 28, 29, 30, 31, 35, 40, 60, 75, 90])
        rdtype = rng.choice([A, AAAA, TXT, MX])
        for _ in range(count):
            text = f'"{rng.randbytes(20).hex()}"' if rdtype == TXT else self.rdata(rdtype)
            self.add(owner, rdtype, text)
        if rng.random() < 0.4:
            self.add(self.fresh(), CNAME, model.text_of(owner))

    def deep(self):
        """A name near the 255 octets a name may have, and short labels many times."""
        if self.rng.random() < 0.5:
            room = 254 - model.wire_size(self.zone.apex)
            labels = [b"n" * min(63, room - 64 * n - 1) for n in range((room + 63) // 64)
                      if room - 64 * n > 1]
            self.add(tuple(labels) + self.zone.apex, A, "192.0.2.200")
        else:
            self.add((b"i",) * 60 + self.zone.apex, TXT, '"deep"')

    def children(self):
        """The cuts at which another zone of this server begins."""
        for other in self.others:
            if other.apex[1:] == self.zone.apex or other.apex[2:] == self.zone.apex:
                self.add(other.apex, NS, model.text_of((b"ns1",) + other.apex))
                self.add((b"ns1",) + other.apex, A, "192.0.2.53")
                if self.rng.random() < 0.5:
                    self.add(other.apex, DS, self.rdata(DS))

    def dname_apex(self):
        """A zone that is another one, but for its apex."""
        apex = self.zone.apex
        self.add(apex, SOA, f"ns.elsewhere.example. {model.text_of((b'host',) + apex)} 1 2 3 4 60")
        self.add(apex, NS, "ns.elsewhere.example.")
        self.add(apex, TXT, '"apex"')
        self.add(apex, DNAME, model.text_of(self.rng.choice(self.others).apex))

    def fill(self, size):
        if size == 0:
            self.dname_apex()
            return
        self.apex()
        self.children()
        kinds = [(self.plain, 9), (self.wildcard, 4), (self.alias, 4), (self.chain, 1), (self.dname, 1),
                 (self.cut, 3), (self.large, 0.7), (self.deep, 0.2), (self.long_dname, 0.3),
                 (self.crowded_cut, 0.3)]
        for kind in self.rng.choices([k for k, _ in kinds], [w for _, w in kinds], k=size):
            kind()


def make(seed, count=24):
    """The zones of one round: model.Zones. Some have children, two deep; some have no child zone where
    they delegate; the last have flaws that not every server loads alike."""
    rng = random.Random(seed)
    apexes = []
    for n in range(count):
        parents = [a for a in apexes if len(a) < 4]
        if parents and rng.random() < 0.3:
            parent = rng.choice(parents)
            inner = (b"zone%d" % n,) if rng.random() < 0.7 else (b"zone%d" % n, b"a")
            apexes.append(inner + parent)
        else:
            apexes.append((b"z%d" % n, b"test"))
    zones = [model.Zone(apex, f"{n}.zone") for n, apex in enumerate(apexes)]
    zones[-1].flaws.add("ttls")
    zones[-2].flaws.add("below-dname")
    # NSD keeps all zones in one tree, so glue in the parent is data below an apex DNAME to it.
    lonely = max(n for n, apex in enumerate(apexes) if len(apex) == 2 and n < count - 2
                 and not any(model.below(other, apex) for other in apexes if other != apex))
    for n, zone in enumerate(zones):
        maker = Maker(rng, zone, [other for other in zones if other is not zone])
        maker.fill(0 if n == lonely else rng.choice([3, 10, 25, 40]))
    return model.Zones(zones)
