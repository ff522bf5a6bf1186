"""The additional section is a courtesy, so it is not compared but held to rules: only addresses (and
what RFC 9460 adds), of names that the reply's records speak of, and each record as the zones have it.
Glue that RFC 9471 requires is asked of steerd alone: it is there, or TC is set."""
import model
from compare import labels_of, rrset
from differences import Rule
from model import A, AAAA, CNAME, MX, NS, SRV, HTTPS, SVCB

KINDS = (A, AAAA, SVCB, HTTPS, CNAME)  # the latter three behind an SVCB (RFC 9460 4.1)
SPEAK = {NS: 0, MX: 2, SRV: 6, SVCB: 2, HTTPS: 2, CNAME: 0, 17: 0, 18: 2}

RULES = [
    Rule("ADDITIONAL", ("glue", "glue; addresses at NS", "glue; addresses at NS, MX, SRV, SVCB, HTTPS",
                        "glue; addresses at NS"),
         "RFC 1034 3.7: what may be helpful; but for glue a resolver asks for what it needs", None),
    Rule("ADDITIONAL-WILDCARD", ("none", "none", "a wildcard that covers the target comes with its own name",
                                 "none"),
         "RFC 4592 3.3.1: what is made from a wildcard has the name asked for", None),
]


def names_spoken_of(records):
    names = set()
    for owner, rdtype, _, _, rdata in records:
        if rdtype == model.NAPTR:
            at = 4
            for _ in range(3):
                at += 1 + rdata[at]
            names.add(rdata[at:])
        elif rdtype in SPEAK:
            target = rdata[SPEAK[rdtype]:]
            labels = labels_of(target)
            names.add(target[:model.wire_size(labels)] if labels else owner)  # SVCB "." is the owner
    return names


def explain(case, counts):
    """Adds to the case's problems; counts[id] grows by one for each reply explained."""
    additional = {view.additional for view in case.views.values()}
    if len(additional) > 1:
        counts["ADDITIONAL"] = counts.get("ADDITIONAL", 0) + 1
    for server, view in case.views.items():
        case.problems += problems(case, server, view, counts)


def problems(case, server, view, counts):
    found = []
    spoken = names_spoken_of(view.answer | view.authority)
    spoken |= names_spoken_of(view.additional)
    covered = {(b"*",) + labels_of(name)[n:] for name in spoken for n in range(1, len(labels_of(name)) + 1)}
    for record in view.additional:
        if server == "knot" and record[0] not in spoken and labels_of(record[0]) in covered:
            counts["ADDITIONAL-WILDCARD"] = counts.get("ADDITIONAL-WILDCARD", 0) + 1
            continue
        name = model.text_of(labels_of(record[0]))
        if record[1] not in KINDS or record[0] not in spoken:
            found.append(f"{server}: additional record of {name} unasked for")
        elif not any(true_in(zone, record) for zone in case.zones.zones):
            found.append(f"{server}: additional record of {name} is untrue")
    if server == "steerd" and not view.aa and not view.tc:
        found += missing_glue(case, view)
    return found


def true_in(zone, record):
    """Whether the zone has the record, by itself or by a wildcard; any TTL written will do here."""
    name = labels_of(record[0])
    if not model.below(name, zone.apex):
        return False
    source = name if name in zone.names else zone.source(name)
    return source is not None and any(record[:3] == true[:3] and record[4] == true[4]
                                      for true in rrset(zone, source, record[1], name))


def missing_glue(case, view):
    """RFC 9471 3: all glue of servers in the domain of the cut, or TC."""
    missing = []
    for owner, rdtype, _, _, rdata in view.authority:
        if rdtype != NS or not case.zone or labels_of(owner) == case.zone.apex:
            continue
        server = labels_of(rdata)
        if not model.below(server, labels_of(owner)):
            continue
        for address in (A, AAAA):
            wanted = rrset(case.zone, server, address)
            if not {(r[0], r[1], r[4]) for r in wanted} <= {(r[0], r[1], r[4]) for r in view.additional}:
                missing.append(f"steerd: glue of {model.text_of(server)} is missing without TC")
    return missing
