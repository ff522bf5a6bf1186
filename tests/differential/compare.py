"""One question and what four servers said to it. Each reply becomes a View, the rules of differences.py
explain what they know and bring it to one form, or take a reply out of the comparison; what is left must
be equal in every field, else the difference is unexplained."""
import struct

import dns.message

import model
import odd_messages
import replies
from model import CNAME, DNAME, NS, SOA
from servers import NAMES, TITLES

FIELDS = ("rcode", "aa", "tc", "rd", "ra", "z", "ad", "cd", "opcode", "echo", "opt", "options",
          "answer", "authority", "repeated")
NSID, SUBNET, COOKIE, KEEPALIVE = 3, 8, 10, 11
COMPARED_OPTIONS = (NSID, SUBNET, COOKIE, KEEPALIVE)


def wire_name(labels):
    return model.wire_of(model.lower(labels))


def labels_of(name):
    labels, at = [], 0
    while name[at]:
        labels.append(name[at + 1:at + 1 + name[at]])
        at += 1 + name[at]
    return tuple(labels)


class View:
    """A reply as it is compared; rules may rewrite it."""

    def __init__(self, reply, question):
        for field in ("rcode_text", "aa", "tc", "rd", "ra", "z", "ad", "cd", "opcode", "answer",
                      "authority", "additional", "size", "core_size", "repeated"):
            setattr(self, field, getattr(reply, field))
        self.rcode = self.rcode_text
        asked = question.question_octets()
        self.echo = "octet for octet" if reply.question == asked else (
            "none" if not reply.question else "other")
        self.opt = reply.edns and (reply.edns[0], reply.edns[1], reply.edns[2])
        self.lacks_opt = not self.opt and (question.broken in odd_messages.WITH_OPT if question.broken
                                           else bool(question.edns))
        self.options = {code: octets for code, octets in (reply.options if reply.edns else {}).items()
                        if code in COMPARED_OPTIONS}

    def word(self):
        """How an odd message was met."""
        missing = ["question"] * (self.echo == "none") + ["OPT"] * self.lacks_opt
        return self.rcode + (" without " + " and ".join(missing) if missing else "")


class Walk:
    """What RFC 1034 4.3.2 and RFC 6672 3.2 make of the question: the aliases met in the zone, each as
    the records it adds, and why they end: "here", "nxdomain", "referral", "leaves", "loop", "too long"."""

    def __init__(self, zones, zone, name, qtype):
        self.zone, self.steps, self.end, self.to = zone, [], "here", None
        self.name = name
        self.names = [name]  # those looked up in this zone
        while self.step(zones, qtype):
            if self.name in self.names:
                self.end = "loop"
                return
            self.names.append(self.name)

    def step(self, zones, qtype):
        """Whether there is a next name, in self.name."""
        zone, name = self.zone, self.name
        redirect = zone.redirect(name, qtype)
        if redirect and redirect[1] == NS:
            self.end = "referral"
            return False
        if redirect:
            owner = redirect[0]
            target = name[:len(name) - len(owner)] + labels_of(self.target(owner, DNAME))
            records = rrset(zone, owner, DNAME)
            if model.wire_size(target) > 255:  # a YXDOMAIN; self.name stays
                self.steps.append(frozenset(records))
                self.end = "too long"
                return False
            ttl = min(record[3] for record in records)
            made = (wire_name(name), CNAME, 1, ttl, wire_name(target))
            self.steps.append(frozenset(records | {made}))
        else:
            source = zone.source(name)
            if source is None:
                self.end = "nxdomain"
                return False
            if not zone.has(source, CNAME) or qtype in (CNAME, model.ANY):
                return False
            self.steps.append(frozenset(rrset(zone, source, CNAME, name)))
            target = labels_of(self.target(source, CNAME))
        self.name = model.lower(target)
        if qtype in (CNAME, model.ANY):
            return False
        if zones.find(self.name, qtype) is not zone:
            self.end, self.to = "leaves", zones.find(self.name, qtype)
            return False
        return True

    def target(self, owner, rdtype):
        return next(iter(self.zone.types(owner)[rdtype]))

    def records(self, count):
        """Those of the first steps."""
        return frozenset().union(*self.steps[:count])


def rrset(zone, owner, rdtype, name=None):
    """The records as a reply has them, at this name, with the lowest TTL written (RFC 2181 5.2)."""
    written = zone.types(owner).get(rdtype, {})
    ttl = min(written.values(), default=0)
    return frozenset((wire_name(owner if name is None else name), rdtype, 1, ttl,
                      replies.read_rdata(rdata, rdtype, 0, len(rdata))) for rdata in written)


def negative(zone):
    """The authority section of a negative answer (RFC 2308 3)."""
    (owner, rdtype, rdclass, ttl, rdata), = rrset(zone, zone.apex, SOA)
    return frozenset({(owner, rdtype, rdclass, min(ttl, struct.unpack("!I", rdata[-4:])[0]), rdata)})


class Case:
    """`octets`: server -> reply or None; `again`: the same asked over TCP, where one was truncated."""

    def __init__(self, question, zones, octets, again=None):
        self.question, self.zones, self.octets, self.again = question, zones, octets, again
        self.zone = question.zone
        self.views, self.words, self.problems = {}, {}, []
        self.tcp_views = {}
        for name in NAMES:
            self.words[name] = self.read(name, octets[name], self.views)
            if again is not None:
                self.read(name, again[name], self.tcp_views)
        self._walk = None

    def read(self, name, octets, views):
        if octets is None:
            return "silence"
        try:
            views[name] = View(replies.Reply(octets), self.question)
        except (replies.Malformed, struct.error, IndexError) as error:
            self.problems.append(f"{name}: malformed reply: {error}")
            return "malformed"
        return views[name].word()

    @property
    def walk(self):
        if self._walk is None and self.zone:
            self._walk = Walk(self.zones, self.zone, self.question.name, self.question.qtype)
        return self._walk

    def drop(self, name):
        """Explained in full; no longer compared."""
        self.views.pop(name, None)
        self.words.pop(name, None)

    def unexplained(self):
        """What differs still."""
        left = list(self.problems)
        silent = [name for name, word in self.words.items() if word == "silence"]
        if silent and len(silent) < len(self.words):
            left.append("silence: " + ", ".join(silent))
        for field in FIELDS:
            values = {name: getattr(view, field) for name, view in self.views.items()}
            if len({_key(value) for value in values.values()}) > 1:
                left.append(field + (": " + ", ".join(f"{n} {v}" for n, v in values.items())
                                     if field not in ("answer", "authority") else ""))
        return left

    def text(self):
        """Question, the part of the zone it is about, four answers."""
        lines = [str(self.question)]
        if self.zone:
            lines += [f"zone {model.text_of(self.zone.apex)}", *("  " + line for line in self.snippet())]
        for name in NAMES:
            lines.append(f"{TITLES[name]}:")
            octets = self.octets[name]
            if octets is None:
                lines.append("  silence")
                continue
            try:
                text = dns.message.from_wire(octets, ignore_trailing=True, one_rr_per_rrset=True).to_text()
            except Exception as error:  # noqa: any mistake of a reply is shown as octets
                text = f"{error}\n{octets.hex()}"
            lines += ["  " + line[:160] for line in text.splitlines()[:40]]
        return "\n".join(lines)

    def snippet(self):
        name = self.question.name
        owners = {name[n:] for n in range(len(name) - len(self.zone.apex) + 1)}
        owners |= {(b"*",) + owner for owner in owners} | {self.walk.name}
        owners |= {labels_of(record[0]) for step in self.walk.steps for record in step}
        owners = {owner for owner in owners if model.wire_size(owner) <= 255}
        texts = {model.text_of(owner).lower() for owner in owners}
        found = [line for line in self.zone.lines if line.split(" ")[0].lower() in texts]
        return [line[:160] for line in found[:30]]


def _key(value):
    return tuple(sorted(value.items())) if isinstance(value, dict) else value
