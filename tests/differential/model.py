"""Names and zones as the test knows them: what was written, before any server read it. The rules of
differences.py ask here whether a name lies below a cut, under a wildcard, in another zone of the same
server, so that each matches just its own case. Names are tuples of labels, lower case, without the root."""
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA = 1, 2, 5, 6, 12, 15, 16, 28
SRV, NAPTR, DNAME, OPT, DS, SVCB, HTTPS, ANY, CAA = 33, 35, 39, 41, 43, 64, 65, 255, 257


def lower(labels):
    return tuple(label.lower() for label in labels)


def text_of(labels):
    """Master file form, absolute."""
    return dns.name.Name(tuple(labels) + (b"",)).to_text()


def wire_of(labels):
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def wire_size(labels):
    return sum(len(label) + 1 for label in labels) + 1


def below(name, top):
    """At or below."""
    return len(name) >= len(top) and name[len(name) - len(top):] == top


class Zone:
    """Records by owner and type, and the questions one asks of a zone (RFC 1034 4.3.2)."""

    def __init__(self, apex, file):
        self.apex = lower(apex)
        self.file = file
        self.lines = []  # master file text
        self.sets = {}  # owner -> type -> {rdata octets: ttl as written}
        self.names = {self.apex}  # owners and empty non-terminals
        self.flaws = set()  # words of what only some servers load

    def add(self, owner, ttl, rdtype, text):
        """False: the record would conflict, and was left out."""
        key = lower(owner)
        rdclass = dns.rdataclass.IN
        here = self.sets.setdefault(key, {})
        alone = {CNAME}
        if (rdtype in alone and set(here) - {rdtype}) or (alone & set(here) and rdtype not in alone):
            return False
        if rdtype in (CNAME, DNAME) and here.get(rdtype):
            return False
        rdata = dns.rdata.from_text(rdclass, rdtype, text).to_wire()
        rrset = here.setdefault(rdtype, {})
        if rdata.lower() in {known.lower() for known in rrset}:
            return False
        rrset[rdata] = ttl
        self.lines.append(f"{text_of(owner)} {ttl} IN {dns.rdatatype.to_text(rdtype)} {text}")
        for n in range(len(key) - len(self.apex)):
            self.names.add(key[n:])
        return True

    def text(self):
        return "\n".join(self.lines) + "\n"

    def has(self, name, rdtype):
        return rdtype in self.sets.get(name, {})

    def types(self, name):
        return self.sets.get(name, {})

    def redirect(self, name, qtype=A):
        """(owner, NS or DNAME): the highest cut at or above, or DNAME above the name; or None."""
        for n in range(len(name) - len(self.apex) - 1, -1, -1):
            owner = name[n:]
            if self.has(owner, NS) and (n or qtype != DS):
                return owner, NS
            if n and self.has(owner, DNAME):
                return owner, DNAME
        if self.has(self.apex, DNAME) and name != self.apex:
            return self.apex, DNAME
        return None

    def source(self, name):
        """The owner whose records answer the name: itself, a wildcard, or None (NXDOMAIN)."""
        if name in self.names:
            return name
        n = 1
        while name[n:] not in self.names:
            n += 1
        star = (b"*",) + name[n:]
        return star if star in self.names else None


class Zones:
    """All zones of one round."""

    def __init__(self, zones):
        self.zones = zones
        self.by_apex = {zone.apex: zone for zone in zones}

    def find(self, name, qtype=A):
        """The zone that answers: the deepest apex, but the parent's for DS (RFC 4035 3.1.4.1)."""
        name = lower(name)
        start = 1 if qtype == DS and name in self.by_apex and any(
            name[n:] in self.by_apex for n in range(1, len(name))) else 0
        for n in range(start, len(name) + 1):
            if name[n:] in self.by_apex:
                return self.by_apex[name[n:]]
        return None
