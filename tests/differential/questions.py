"""Random questions about given zones, as octets: names that exist and that do not, above, below and beside
what exists, with any case, types of every kind, EDNS in its forms, other opcodes and classes, and
messages that are broken."""
import random
import struct

import model
from model import A, AAAA, ANY, CNAME, DNAME, DS, HTTPS, MX, NS, SOA, SRV, SVCB, TXT

QUERY, IQUERY, STATUS, NOTIFY, UPDATE, DSO = 0, 1, 2, 4, 5, 6
IN, CH, HS, NONE, CLASS_ANY = 1, 3, 4, 254, 255
QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010
AXFR, IXFR, MAILB, MAILA, TKEY, TSIG, OPT = 252, 251, 253, 254, 249, 250, 41
META = [AXFR, IXFR, MAILB, MAILA, TKEY, TSIG, OPT]
COMMON = [A, A, A, AAAA, MX, TXT, NS, SOA, CNAME, DNAME, DS, SRV, HTTPS, SVCB, ANY, 12, 65280, 1234, 46, 47, 257]
SIGNING = [24, 25, 30, 46, 47, 50]
RARE = [0, 24, 25, 30, 38, 65535, 128, 61440, 43, 59, 48, 50, 100, 3, 11]
NSID, SUBNET, COOKIE, KEEPALIVE, PADDING, EXPIRE, CHAIN, UNKNOWN = 3, 8, 10, 11, 12, 9, 13, 65001


class Question:
    """The octets to send and what they were made of. `broken`: the word for what is wrong with them."""

    def __init__(self, qname, qtype, qclass=IN, opcode=QUERY, flags=0, tcp=False, broken=None):
        self.qname, self.qtype, self.qclass = qname, qtype, qclass
        self.opcode, self.flags, self.tcp, self.broken = opcode, flags, tcp, broken
        self.edns = None  # (udp size, version, flags)
        self.options = []  # (code, octets)
        self.zone = None  # model.Zone that has the name, if any
        self.wire = b""

    @property
    def name(self):
        return model.lower(self.qname)

    @property
    def limit(self):
        """Octets an answer may have."""
        if self.tcp:
            return 65535
        return max(512, min(self.edns[0], 1232)) if self.edns else 512

    @property
    def odd(self):
        """Not every server answers, or goes on as before."""
        return bool(self.broken or self.opcode)

    def question_octets(self):
        return model.wire_of(self.qname) + struct.pack("!HH", self.qtype, self.qclass)

    def opt_octets(self):
        size, version, flags = self.edns
        data = b"".join(struct.pack("!HH", code, len(value)) + value for code, value in self.options)
        return b"\0" + struct.pack("!HHBBHH", OPT, size, 0, version, flags, len(data)) + data

    def compose(self):
        counts = [1, 0, 0, 1 if self.edns else 0]
        body = self.question_octets() + (self.opt_octets() if self.edns else b"")
        self.wire = self.header(counts) + body
        return self

    def header(self, counts, flags=0):
        return struct.pack("!HHHHHH", 0, self.opcode << 11 | self.flags | flags, *counts)

    def __str__(self):
        edns = f" edns={self.edns} options={[(c, v.hex()) for c, v in self.options]}" if self.edns else ""
        return (f"{model.text_of(self.qname)} type {self.qtype} class {self.qclass} opcode {self.opcode} "
                f"flags {self.flags:#06x} {'tcp' if self.tcp else 'udp'}{edns}"
                f"{' broken: ' + self.broken if self.broken else ''}\n  octets {self.wire.hex()}")


class Asker:
    def __init__(self, seed, zones):
        self.rng = random.Random(seed)
        self.zones = zones
        self.owners = {zone.apex: sorted(zone.names) for zone in zones.zones}
        self.interesting = {zone.apex: sorted(
            {name for name, sets in zone.sets.items() if {CNAME, DNAME, NS} & set(sets)} |
            {name for name in zone.sets if name[:1] == (b"*",)}) for zone in zones.zones}

    def name(self):
        rng = self.rng
        zone = rng.choice(self.zones.zones)
        owners = self.owners[zone.apex]
        special = self.interesting[zone.apex]
        base = rng.choice(special if rng.random() < 0.4 else owners)
        roll = rng.random()
        if roll < 0.04:
            name = rng.choice([(), (b"test",), (b"nowhere", b"example"), (b"z999", b"test"),
                               (b"version", b"bind"), (b"x" * 63,) * 3])
        elif roll < 0.45:
            name = base
        elif roll < 0.7:
            name = tuple(rng.choice([b"a", b"b", b"zz", b"*", b"www", b"q" * rng.choice([1, 30, 63])])
                         for _ in range(rng.choice([1, 1, 2, 3, 5]))) + base
        elif roll < 0.78:
            name = base[rng.randrange(len(base)):]
        elif roll < 0.86:
            name = (rng.choice([b"a", b"c", b"nope", b"~", b"!"]),) + base[1:]
        elif roll < 0.94:  # where a wildcard would be
            name = tuple(rng.choice([b"a", b"w", b"*"]) for _ in range(rng.choice([1, 2]))) + base[1:]
        else:  # as long as names get
            name = base
            while model.wire_size(name) < 250 - 20:
                name = (b"l" * min(63, 254 - model.wire_size(name)),) + name
        if model.wire_size(name) > 255:
            name = base
        if rng.random() < 0.25:
            name = tuple(bytes(rng.choice((o, o ^ 0x20)) if chr(o).isascii() and chr(o).isalpha() else o
                               for o in label) for label in name)
        return name

    def rdtype(self, name):
        rng = self.rng
        zone = self.zones.find(name)
        present = sorted(zone.types(model.lower(name))) if zone else []
        source = zone.source(model.lower(name)) if zone else None
        if not present and source:
            present = sorted(zone.types(source))
        roll = rng.random()
        if present and roll < 0.45:
            return rng.choice(present)
        if roll < 0.94:
            return rng.choice(COMMON)
        return rng.choice(RARE if roll < 0.98 else META)

    def edns(self, question):
        rng = self.rng
        if rng.random() < 0.35:
            return
        version = 0 if rng.random() < 0.98 else rng.choice([1, 2, 255])
        flags = 0x8000 if rng.random() < 0.25 else 0
        if rng.random() < 0.02:
            flags |= rng.choice([0x4000, 0x0001, 0x7FFF])
        question.edns = (rng.choice([0, 511, 512, 600, 1232, 1232, 1400, 4096, 65535]), version, flags)
        if rng.random() < 0.15:
            question.options = [self.option() for _ in range(rng.choice([1, 1, 2]))]
            if len({code for code, _ in question.options}) < len(question.options):
                question.options = question.options[:1]  # the same option twice is left to broken()

    def option(self):
        rng = self.rng
        return rng.choice([
            (UNKNOWN, rng.randbytes(rng.choice([0, 1, 20]))), (NSID, b""), (PADDING, bytes(rng.choice([0, 9]))),
            (SUBNET, b"\0\1\x18\0\xc0\0\2"), (SUBNET, b"\0\2\x38\0\x20\1\x0d\xb8\0\0\0"), (SUBNET, b"\0\1\0\0"),
            (EXPIRE, b""), (KEEPALIVE, b"")])

    def next(self):
        rng = self.rng
        name = self.name()
        question = Question(name, self.rdtype(name), tcp=rng.random() < 0.12)
        question.zone = self.zones.find(name, question.qtype)
        self.edns(question)
        roll = rng.random()
        if roll < 0.3:
            question.flags |= RD
        if roll < 0.03:
            question.flags |= rng.choice([AD, CD, Z, TC, AA, RA, AD | CD])
        if rng.random() < 0.01:
            question.qclass = rng.choice([CH, HS, NONE, CLASS_ANY, 0, 2, 1000])
            if question.qclass == CH and rng.random() < 0.7:
                question.qname = rng.choice([
                    (b"version", b"bind"), (b"id", b"server"), (b"hostname", b"bind"),
                    (b"version", b"server"), (b"authors", b"bind"), (b"ID", b"server")])
                question.qtype = rng.choice([TXT, TXT, A, ANY])
        if rng.random() < 0.015:
            question.opcode = rng.choice([IQUERY, STATUS, 3, NOTIFY, UPDATE, DSO, 7, 15])
        self.one_oddity(question)
        if rng.random() < 0.03 and not question.opcode and question.qclass == IN and (
                question.qtype not in META + [0, 128]) and not (question.edns and question.edns[1]):
            self.damage(question.compose())
            return question
        return question.compose()

    @staticmethod
    def one_oddity(question):
        """Of several, the servers differ in which they see first; that is nobody's business."""
        odd_class, odd_type = question.qclass != IN, question.qtype in META + [0, 128]
        if question.opcode or odd_class:
            question.qtype = TXT if odd_type or question.qtype in SIGNING else question.qtype
            question.qclass = IN if question.opcode else question.qclass
        if (question.opcode or odd_class or odd_type) and question.edns:
            question.edns = (question.edns[0], 0, question.edns[2])

    def damage(self, question):
        """Breaks it in one of many ways."""
        rng = self.rng
        question.options = []
        asked, qtype = question.question_octets(), struct.pack("!HH", question.qtype, question.qclass)
        opt = question.opt_octets() if question.edns else b"\0" + struct.pack("!HHIH", OPT, 1232, 0, 0)
        head = question.header
        whole = head([1, 0, 0, 1]) + asked
        record = b"\0" + struct.pack("!HHIH", A, IN, 60, 4) + b"\xc0\0\2\1"
        tsig = b"\x0bhmac-sha256\0" + struct.pack("!HIHH", 0, 1_700_000_000, 300, 32) + rng.randbytes(32) \
            + struct.pack("!HHH", 7, 0, 0)
        signed = b"\x05nokey\0" + struct.pack("!HHIH", 250, CLASS_ANY, 0, len(tsig)) + tsig
        forms = {
            "signed with an unknown key": lambda: whole + signed,
            "TSIG before another record": lambda: head([1, 0, 0, 2]) + asked + signed + record,
            "no question": lambda: head([0, 0, 0, 0]),
            "no question but an OPT": lambda: head([0, 0, 0, 1]) + opt,
            "two questions": lambda: head([2, 0, 0, 0]) + asked + asked,
            "counts without records": lambda: head([1, 0, 0, 2]) + asked + opt,
            "question missing": lambda: head([1, 0, 0, 0]),
            "question cut": lambda: head([1, 0, 0, 0]) + asked[:rng.randrange(1, len(asked))],
            "OPT cut": lambda: whole + opt[:rng.randrange(1, len(opt))],
            "octets behind": lambda: head([1, 0, 0, 1]) + asked + opt + rng.randbytes(rng.choice([1, 5])),
            "octets behind the question": lambda: head([1, 0, 0, 0]) + asked + b"\1",
            "label type 0x40": lambda: head([1, 0, 0, 0]) + b"\x41a\0" + qtype,
            "label type 0x80": lambda: head([1, 0, 0, 0]) + b"\x81a\0" + qtype,
            "pointer to itself": lambda: head([1, 0, 0, 0]) + b"\xc0\x0c" + qtype,
            "pointer forward": lambda: head([1, 0, 0, 0]) + b"\xc0\x20" + qtype + bytes(30),
            "pointer into the header": lambda: head([1, 0, 0, 0]) + b"\1a\xc0\x02" + qtype,
            "name of 256 octets": lambda: head([1, 0, 0, 0]) + (b"\x3f" + b"x" * 63) * 3 + b"\x3e"
            + b"y" * 62 + b"\0" + qtype,
            "two OPTs": lambda: head([1, 0, 0, 2]) + asked + opt + opt,
            "OPT in the answer section": lambda: head([1, 1, 0, 0]) + asked + opt,
            "OPT in the authority section": lambda: head([1, 0, 1, 0]) + asked + opt,
            "OPT of another owner": lambda: whole + b"\1a" + opt,
            "OPT before another record": lambda: head([1, 0, 0, 2]) + asked + opt + record,
            "option longer than the OPT": lambda: whole + b"\0" + struct.pack(
                "!HHIHHH", OPT, 1232, 0, 4, UNKNOWN, 9),
            "half an option": lambda: whole + b"\0" + struct.pack("!HHIH", OPT, 1232, 0, 3) + b"\xfd\xe9\0",
            "a record in the answer section": lambda: head([1, 1, 0, 0]) + asked + record,
            "a record in the authority section": lambda: head([1, 0, 1, 0]) + asked + record,
            "a record in the additional section": lambda: head([1, 0, 0, 1]) + asked + record,
            "an answer": lambda: head([1, 0, 0, 0], QR) + asked,
            "shorter than a header": lambda: head([1, 0, 0, 0])[:rng.randrange(2, 12)],
            "cookie of 7 octets": lambda: self.with_option(whole, COOKIE, b"1234567"),
            "cookie of 12 octets": lambda: self.with_option(whole, COOKIE, b"123456789012"),
            "subnet of a family unknown": lambda: self.with_option(whole, SUBNET, b"\0\7\x18\0\1\2\3"),
            "subnet with scope": lambda: self.with_option(whole, SUBNET, b"\0\1\x18\x18\1\2\3"),
            "subnet too long": lambda: self.with_option(whole, SUBNET, b"\0\1\x21\0\1\2\3\4\5"),
            "subnet with bits behind": lambda: self.with_option(whole, SUBNET, b"\0\1\x14\0\1\2\xff"),
            "subnet too short": lambda: self.with_option(whole, SUBNET, b"\0\1\x18\0\1\2"),
            "NSID with octets": lambda: self.with_option(whole, NSID, b"abc"),
        }
        question.broken = rng.choice(sorted(forms))
        question.wire = forms[question.broken]()
        if question.broken.startswith("a record in") or "question" in question.broken:
            question.edns = None
        elif "OPT" not in question.broken and question.broken != "octets behind" or not question.edns:
            question.edns = (1232, 0, 0)

    @staticmethod
    def with_option(whole, code, value):
        return whole + b"\0" + struct.pack("!HHIHHH", OPT, 1232, 0, 4 + len(value), code, len(value)) + value
