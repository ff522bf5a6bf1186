"""Every known difference between the four servers: an id, what each does, why steerd does what it does,
and a rule that matches just that and nothing beside it. A rule looks at one reply and what the zone says,
and either brings the reply to the common form or takes it out of the comparison because it is explained in
full. docs/conformance.md has the table, written from here (test_differential.py --write)."""
import model
from compare import labels_of, negative, rrset
from model import ANY, CNAME, DNAME, NS
from servers import NAMES

RULES = []  # in the order they are applied
CD = 0x0010
SUBNET, KEEPALIVE = 8, 11
NSEC, RRSIG, NSEC3, KEY, SIG, NXT = 47, 46, 50, 25, 24, 30
CHAIN = {"steerd": 16, "nsd": 255, "knot": 5, "bind": 12}


class Rule:
    def __init__(self, key, cells, why, apply):
        self.key, self.cells, self.why, self.apply = key, cells, why, apply


def rule(key, steerd, nsd, knot, bind, why):
    """Decorates apply(case, server, view) -> whether it explained something."""
    def register(function):
        RULES.append(Rule(key, (steerd, nsd, knot, bind), why, function))
        return function
    return register


def explain(case, counts):
    """Applies all rules; counts[id] grows by one for each reply explained."""
    for known in RULES:
        for server in NAMES:
            view = case.views.get(server)
            if view is not None and known.apply(case, server, view):
                counts[known.key] = counts.get(known.key, 0) + 1


# What comes back in the header and the OPT.

@rule("CD-COPIED", "clears CD", "clears CD", "clears CD", "copies CD",
      "RFC 4035 3.1.6: CD should be cleared in an authoritative answer")
def cd_copied(case, server, view):
    if server == "bind" and case.question.flags & CD and view.cd:
        view.cd = False
        return True
    return False


@rule("BADVERS-FLAGS", "clears all but RD and DO", "copies all but DO", "clears all but RD and DO",
      "clears all but RD, CD and DO", "RFC 6891 6.1.3: of BADVERS it says no more than the code and the version")
def badvers_flags(case, server, view):
    if server != "nsd" or view.rcode != "BADVERS":
        return False
    sent = case.question.flags
    copied = {"aa": 0x0400, "tc": 0x0200, "ra": 0x0080, "z": 0x0040, "ad": 0x0020, "cd": CD}
    before = view.opt
    if case.question.edns[2] & 0x8000 and view.opt[2] == 0:
        view.opt = view.opt[:2] + (0x8000,)
    changed = view.opt != before
    for flag, bit in copied.items():
        if getattr(view, flag) and sent & bit:
            setattr(view, flag, False)
            changed = True
    return changed


@rule("CLASS-ANY-HEADER", "as class IN", "as class IN, without AA and SOA", "as class IN", "FORMERR",
      "RFC 1035 3.2.5: QCLASS * is any class; RFC 1034 4.3.1 gives AA to what one's zones say")
def class_any(case, server, view):
    if server != "nsd" or case.question.qclass != 255 or not case.walk or view.aa:
        return False
    if view.rcode not in ("SERVFAIL", "REFUSED") and view.answer >= case.walk.records(len(case.walk.steps)):
        case.drop(server)
        return True
    return False


@rule("SUBNET-ECHOED", "echoes the option, scope 0", "ignores it", "ignores it", "echoes the option, scope 0",
      "RFC 7871 7.2.1; NSD has no such option, Knot none unless configured")
def subnet_echoed(case, server, view):
    told = dict(case.question.options).get(SUBNET)
    if server in ("nsd", "knot") and told and view.rcode != "BADVERS" and SUBNET not in view.options:
        view.options = {**view.options, SUBNET: told}
        return True
    return False


@rule("KEEPALIVE", "tells its idle time", "ignores the option", "ignores the option", "tells its idle time",
      "RFC 7828 3.2.1: a server may tell it")
def keepalive(case, server, view):
    if server in ("steerd", "bind") and (case.question.tcp or case.again) and len(view.options.get(KEEPALIVE, b"")) == 2:
        view.options = {code: value for code, value in view.options.items() if code != KEEPALIVE}
        return True
    return False


# Zones that do not load everywhere.

@rule("LOAD-BELOW-DNAME", "loads, warns", "refuses the zone", "refuses the zone", "loads",
      "RFC 6672 2.4: names below a DNAME are occluded; where an update hides them they must be ignored, so "
      "the rest of the zone is served")
def load_below_dname(case, server, view):
    zone = case.zone
    if server not in ("nsd", "knot") or not zone or "below-dname" not in zone.flaws:
        return False
    hidden = any(zone.has(name[n:], DNAME) for name in zone.sets
                 for n in range(1, len(name) - len(zone.apex) + 1))
    if hidden and view.rcode == "SERVFAIL" and not view.answer:
        case.drop(server)
        return True
    return False


@rule("LOAD-SHARED-TREE", "each zone by itself", "refuses a zone when names of its parent or child on the same "
      "server lie below its DNAME", "each zone by itself", "each zone by itself",
      "RFC 6672 2.4 speaks of one zone")
def load_shared_tree(case, server, view):
    zone = case.zone
    if server != "nsd" or not zone or view.rcode != "SERVFAIL" or view.answer:
        return False
    related = [other for other in case.zones.zones
               if model.below(other.apex, zone.apex) or model.below(zone.apex, other.apex)]
    dnames = {owner for other in related for owner in other.sets if other.has(owner, DNAME)}
    if any(name[n:] in dnames for other in related for name in other.names for n in range(1, len(name))):
        case.drop(server)
        return True
    return False


# Aliases.

@rule("ALIAS-TYPES", "follows the CNAME for RRSIG, NSEC and the like", "but for NSEC3", "NODATA for RRSIG, NSEC",
      "NODATA for RRSIG, NSEC, KEY, SIG, NXT",
      "RFC 1034 4.3.2 3a: a CNAME is followed for every type but CNAME; RFC 4034 lets RRSIG and NSEC stand "
      "beside one, but these zones have none")
def alias_types(case, server, view):
    types = {"nsd": (NSEC3,), "knot": (RRSIG, NSEC), "bind": (RRSIG, NSEC, KEY, SIG, NXT)}
    if case.question.qtype not in types.get(server, ()) or not case.walk or view.rcode != "NOERROR":
        return False
    return drop_if_ended_early(case, server, view)


def drop_if_ended_early(case, server, view):
    """NODATA of a name on the way, in place of its alias."""
    for count, step in enumerate(case.walk.steps):
        if len(step) == 1 and view.answer == case.walk.records(count) and (
                view.authority == negative(case.zone)):
            case.drop(server)
            return True
    return False


def following(case):
    return case.walk is not None and case.question.qtype not in (CNAME, ANY)


@rule("ALIAS-LOOP", "NOERROR with the loop", "NOERROR with the loop", "NOERROR with the loop",
      "SERVFAIL with the loop", "RFC 1034 3.6.2 wants loops \"signalled as an error\" and names none; what a "
      "resolver needs to see the loop is in the answer either way")
def alias_loop(case, server, view):
    if server == "bind" and following(case) and case.walk.end == "loop" and view.rcode == "SERVFAIL" and (
            view.aa and view.answer == case.walk.records(len(case.walk.steps))):
        view.rcode = "NOERROR"
        return True
    return False


@rule("ALIAS-LENGTH", "16 names", "all", "5 names", "12 names, SERVFAIL",
      "RFC 1034 5.2.2 leaves the limit to the server; a resolver goes on from the last target")
def alias_length(case, server, view):
    limit = CHAIN[server]
    if not following(case) or len(case.walk.steps) < limit:
        return False
    if view.answer == case.walk.records(limit) and not view.authority:
        case.drop(server)
        return True
    return False


@rule("ALIAS-TO-OTHER-ZONE", "ends at the zone's border", "a CNAME into a child, of a wildcard or of "
      "a DNAME is followed into the other zone", "ends at the zone's border", "ends at the zone's border",
      "RFC 1034 4.3.2 allows both; a resolver asks anew for what another zone says (RFC 2181 5.4.1)")
def alias_to_other_zone(case, server, view):
    if server != "nsd" or not following(case) or case.walk.end != "leaves" or case.walk.to is None:
        return False
    if case.question.qclass != 1:
        return False
    own = case.walk.records(len(case.walk.steps))
    rest = view.answer - own
    elsewhere = all(case.zones.find(labels_of(r[0]), r[1]) is not case.zone for r in rest)
    if own <= view.answer and elsewhere and (rest or view.authority):
        view.answer, view.authority, view.rcode = own, frozenset(), "NOERROR"
        return True
    return False


@rule("ALIAS-TO-CHILD-ZONE", "ends at the zone's border", "answers from the child", "adds the referral to it",
      "ends at the zone's border", "RFC 1034 4.3.2 3b; the resolver asks anew in any case")
def alias_to_child_zone(case, server, view):
    if server != "knot" or not following(case) or case.walk.end != "leaves":
        return False
    cut = case.zone.redirect(case.walk.name)
    if cut and cut[1] == NS and view.authority == rrset(case.zone, cut[0], NS):
        view.authority = frozenset()
        return True
    return False


@rule("ALIAS-DS", "ends there: DS at an apex is the parent's", "answers from the parent", "NODATA with the "
      "child's SOA", "NODATA with the child's SOA",
      "RFC 4035 3.1.4.1: the parent is authoritative for DS; the resolver asks anew")
def alias_ds(case, server, view):
    at_apex = following(case) and case.question.qtype == model.DS and case.walk.end == "leaves" and (
        case.walk.name == case.zone.apex)
    if at_apex and server in ("knot", "bind") and view.authority == negative(case.zone):
        view.authority = frozenset()
        return True
    return False


@rule("DNAME-TOO-LONG", "YXDOMAIN", "YXDOMAIN", "goes on, so that another RCODE or authority may follow",
      "YXDOMAIN", "RFC 6672 2.2: YXDOMAIN where the name made is too long")
def dname_too_long(case, server, view):
    if server == "knot" and case.walk and case.walk.end == "too long" and (
            view.answer >= case.walk.records(len(case.walk.steps))):
        case.drop(server)
        return True
    return False


@rule("SHARED-TREE", "each zone by itself", "what a parent zone holds below the cut counts as a name of the "
      "child, without data", "each zone by itself", "each zone by itself",
      "RFC 1034 4.2.1: what a parent holds below a cut is no data of the child")
def shared_tree(case, server, view):
    if server != "nsd" or not case.walk or view.authority != negative(case.zone):
        return False
    parents = [zone for zone in case.zones.zones if zone is not case.zone
               and model.below(case.zone.apex, zone.apex)]
    for count, name in enumerate(case.walk.names):
        if not model.below(name, case.zone.apex):
            return False
        misled = source_among([case.zone, *parents], name) != case.zone.source(name)
        if misled and view.answer == case.walk.records(count):
            case.drop(server)
            return True
    return False


def source_among(zones, name):
    """model.Zone.source, of zones that share their names."""
    def known(some):
        return any(some in zone.names for zone in zones)
    if known(name):
        return name
    encloser = 1
    while not known(name[encloser:]):
        encloser += 1
    star = (b"*",) + name[encloser:]
    return star if known(star) else None


@rule("DS-GRANDPARENT", "the parent answers", "a referral to the parent, where it serves the zone above that too",
      "the parent answers", "the parent answers", "RFC 4035 3.1.4.1: the parent is authoritative for DS")
def ds_grandparent(case, server, view):
    if server != "nsd" or case.question.qtype != model.DS or view.aa or view.answer or not case.zone:
        return False
    above = case.zones.find(case.zone.apex[1:])
    if case.question.name in case.zones.by_apex and above and view.authority == rrset(
            above, case.zone.apex, NS):
        case.drop(server)
        return True
    return False


# RRsets.

@rule("TTL-MIXED", "the lowest TTL for all", "each record its own TTL", "the last TTL for all",
      "the first TTL for all", "RFC 2181 5.2: TTLs within one RRset must be the same; the lowest harms no one")
def ttl_mixed(case, server, view):
    if not case.zone or "ttls" not in case.zone.flaws:
        return False
    changed = False
    for section in ("answer", "authority"):
        records = getattr(view, section)
        mended = frozenset(lowest_ttl(case.zone, record) for record in records)
        if mended != records and server != "steerd":
            setattr(view, section, mended)
            changed = True
    return changed


def lowest_ttl(zone, record):
    """The record with the lowest TTL of its RRset, if it has one of those written."""
    owner, rdtype, rdclass, ttl, rdata = record
    source = zone.source(labels_of(owner)) if model.below(labels_of(owner), zone.apex) else None
    written = set(zone.types(source).get(rdtype, {}).values()) if source else set()
    if len(written) < 2 or ttl not in written:
        return record
    return owner, rdtype, rdclass, min(written), rdata


@rule("ANY-BELOW-DNAME", "DNAME and CNAME", "goes on from the CNAME", "goes on from the CNAME", "DNAME and CNAME",
      "RFC 6672 3.2 3C goes on for every type; RFC 8482 4: an ANY may be answered with what there is")
def any_below_dname(case, server, view):
    if server not in ("nsd", "knot") or case.question.qtype != ANY or not case.walk or not case.walk.steps:
        return False
    step = case.walk.records(1)
    if len(case.walk.steps[0]) == 2 and step <= view.answer and (view.answer > step or view.authority):
        case.drop(server)
        return True
    return False


@rule("REPEATS", "each record once", "each record once", "a record may come twice: in the "
      "additional section, of ANY, in a loop",
      "each record once", "RFC 2181 5: there are no duplicates in an RRset")
def repeats(case, server, view):
    looping = case.walk is not None and case.walk.end == "loop"
    known = view.repeated == "additional" or case.question.qtype == ANY or looping
    if server == "knot" and view.repeated and known:
        view.repeated = ""
        return True
    return False


@rule("ANY", "one RRset", "all RRsets", "one RRset over UDP or all", "one RRset over UDP",
      "RFC 8482 4.1: one RRset is enough")
def any_rrsets(case, server, view):
    if case.question.qtype != ANY or not case.zone or not view.answer or view.rcode != "NOERROR":
        return False
    source = case.zone.source(case.question.name)
    redirect = case.zone.redirect(case.question.name)
    if source is None or redirect:
        return False
    types = {record[1] for record in view.answer}
    whole = frozenset().union(*(rrset(case.zone, source, t, case.question.name) for t in types))
    answer = frozenset(lowest_ttl(case.zone, record) for record in view.answer)
    if answer == whole and not view.authority:
        case.drop(server)
        return True
    return False
