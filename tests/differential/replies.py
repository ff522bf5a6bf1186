"""Replies in a form that can be compared: sections as sets of records with names written out and in lower
case (RFC 4343), order forgotten (RFC 1035 3.7 promises none), everything else octet for octet. A reader
of its own, so that it shares no mistake with a library that a server uses; it also holds replies to the
rules of compression."""
import struct

COMPRESSED = {2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15}  # types of RFC 1035 with names (RFC 3597 4)
# Octets before the names, and how many names, for the types that appear in the zones or could.
NAMES = {2: (0, 1), 5: (0, 1), 6: (0, 2), 12: (0, 1), 14: (0, 2), 15: (2, 1), 17: (0, 2), 18: (2, 1),
         33: (6, 1), 39: (0, 1), 64: (2, 1), 65: (2, 1)}
NAPTR, OPT, TSIG = 35, 41, 250
BADKEY = b"\0\x11\0\0"  # the error, and no other data
RCODES = {0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED", 6: "YXDOMAIN",
          9: "NOTAUTH", 10: "NOTZONE", 16: "BADVERS", 23: "BADCOOKIE"}


class Malformed(Exception):
    pass


def read_name(message, at):
    """(name octets in lower case, where it ends, whether a pointer was met)."""
    name, end, pointed = b"", None, False
    lowest = at
    while True:
        if at >= len(message):
            raise Malformed("name runs out of the message")
        length = message[at]
        if length >= 0xC0:
            to = struct.unpack("!H", message[at:at + 2])[0] & 0x3FFF
            if to >= lowest:
                raise Malformed("pointer that does not lead back")
            end, pointed = end or at + 2, True
            at = lowest = to
        elif length > 63:
            raise Malformed("label type")
        else:
            name += message[at:at + 1 + length]
            at += 1 + length
            if length == 0:
                break
    if len(name) > 255:
        raise Malformed("name of more than 255 octets")
    return name.lower(), end or at, pointed


def read_rdata(message, rdtype, at, end):
    """The rdata with its names written out."""
    if rdtype == NAPTR:
        start, at = at, at + 4
        for _ in range(3):
            at += 1 + message[at]
        head, count = message[start:at], 1
    elif rdtype in NAMES:
        skip, count = NAMES[rdtype]
        head, at = message[at:at + skip], at + skip
    else:
        return message[at:end]
    for _ in range(count):
        name, at, pointed = read_name(message, at)
        if pointed and rdtype not in COMPRESSED:
            raise Malformed(f"compressed name in rdata of type {rdtype}")
        head += name
    if at > end:
        raise Malformed("rdata shorter than its names")
    return head + message[at:end]


class Reply:
    """`answer`, `authority`, `additional`: frozensets of (owner, type, class, ttl, rdata)."""

    def __init__(self, message):
        self.size = len(message)
        self.octets = message
        if len(message) < 12:
            raise Malformed("shorter than a header")
        flags, *counts = struct.unpack("!HHHHH", message[2:12])
        self.opcode = flags >> 11 & 15
        self.rcode = flags & 15
        self.qr, self.aa, self.tc, self.rd = (bool(flags & bit) for bit in (0x8000, 0x400, 0x200, 0x100))
        self.ra, self.z, self.ad, self.cd = (bool(flags & bit) for bit in (0x80, 0x40, 0x20, 0x10))
        at = 12
        for _ in range(counts[0]):
            _, at, _ = read_name(message, at)
            at += 4
        self.question = message[12:at]
        self.edns = None
        self.repeated = ""  # the section in which a record stands twice
        sections = []
        for count in counts[1:]:
            self.core_size = at  # octets without the additional section, but with the OPT
            records = []
            for _ in range(count):
                at = self.read_record(message, at, records)
            if len(set(records)) != len(records):
                self.repeated = ("answer", "authority", "additional")[len(sections)]
            sections.append(frozenset(records))
        if self.edns is not None:
            self.core_size += 11 + sum(4 + len(value) for value in self.options.values())
        if at != len(message):
            raise Malformed("octets behind the message")
        self.answer, self.authority, self.additional = sections

    def read_record(self, message, at, records):
        owner, at, _ = read_name(message, at)
        if at + 10 > len(message):
            raise Malformed("record cut")
        rdtype, rdclass, ttl, length = struct.unpack("!HHIH", message[at:at + 10])
        at += 10
        if at + length > len(message):
            raise Malformed("rdata cut")
        if rdtype == TSIG:  # of a refusal: its own words, and nothing of the zone's
            if at + length != len(message) or message[at + length - 4:at + length] != BADKEY:
                raise Malformed("TSIG that is not the last, or does not say BADKEY")
            return at + length
        if rdtype != OPT:
            records.append((owner, rdtype, rdclass, ttl, read_rdata(message, rdtype, at, at + length)))
            return at + length
        if self.edns is not None or owner != b"\0":
            raise Malformed("OPT twice or with an owner")
        self.rcode |= (ttl >> 24) << 4
        self.edns = (rdclass, ttl >> 16 & 255, ttl & 0xFFFF)
        self.options = {}
        data = message[at:at + length]
        while data:
            code, size = struct.unpack("!HH", data[:4])
            self.options[code] = data[4:4 + size]
            data = data[4 + size:]
        return at + length

    @property
    def rcode_text(self):
        return RCODES.get(self.rcode, str(self.rcode))
