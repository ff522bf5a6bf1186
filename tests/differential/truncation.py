"""Truncation: the reply over UDP beside the one over TCP. TC must be there when the whole answer is
larger than the limit, and only then; what is compared further is the whole answer. The rules of this kind
have no apply() of their own."""
from compare import negative
from differences import Rule
from model import ANY
from servers import NAMES

RULES = [
    Rule("TC-SIZE", ("sets TC, leaves the sections empty",) * 4, "where the first RRset does not fit; equal "
         "answers differ in size by how names are compressed, so servers differ in TC within a few octets", None),
    Rule("TC-CONTENT", ("whole RRsets that fit stay", "whole RRsets that fit stay", "whole RRsets that fit stay",
                        "records that fit stay"),
         "RFC 2181 9: who sees TC must not use what is there; half an RRset would invite it", None),
    Rule("TC-ADDITIONAL", ("glue in the domain of the cut that does not fit sets TC; behind an alias it does not",
                           "leaves out what does not fit", "sets TC, behind an alias too",
                           "leaves out what does not fit"),
         "RFC 9471 3 speaks of referral responses", None),
    Rule("TC-SOA", ("sets TC", "sets TC", "leaves a SOA out that does not fit", "sets TC"),
         "RFC 2308 3: a negative answer has its SOA", None),
    Rule("TC-RCODE", ("the RCODE of the whole answer", "the RCODE of the whole answer",
                      "NOERROR with TC where the whole answer is NXDOMAIN or YXDOMAIN",
                      "the RCODE of the whole answer"),
         "RFC 6604 3: the RCODE is that of the last name, whatever fits", None),
]


def explain(case, counts):
    """Holds TC against the size of the whole answer, then compares the whole answers."""
    if case.again is None:
        return
    limit = case.question.limit
    for server in NAMES:
        cut, whole = case.views.get(server), case.tcp_views.get(server)
        if cut is None:
            continue
        if whole is None:
            case.problems.append(f"{server}: no answer over TCP")
            continue
        key = judge(case, server, cut, whole, limit)
        if key is None:
            case.problems.append(f"{server}: {cut.size} octets over UDP{' with TC' if cut.tc else ''}, "
                                 f"{whole.size} over TCP, limit {limit}")
            continue
        if key:
            counts[key] = counts.get(key, 0) + 1
        if server == "knot" and cut.tc and cut.rcode == "NOERROR" and whole.rcode in ("NXDOMAIN", "YXDOMAIN"):
            counts["TC-RCODE"] = counts.get("TC-RCODE", 0) + 1
        elif cut.rcode != whole.rcode:
            case.problems.append(f"{server}: {cut.rcode} over UDP, {whole.rcode} over TCP")
        case.views[server] = whole


def judge(case, server, cut, whole, limit):
    """The id of what happened, "" where nothing did, None where it is not known."""
    same = cut.answer == whole.answer and cut.authority == whole.authority
    if cut.tc:
        needed = whole.core_size if server == "steerd" and (whole.answer or whole.aa) else whole.size
        if needed <= limit:
            return None  # steerd's additional section is a courtesy but in a referral
        return "TC-CONTENT" if cut.answer or cut.authority else "TC-SIZE"
    if not same and case.question.qtype == ANY and cut.answer and cut.answer <= whole.answer:
        return ""  # one RRset over UDP, all over TCP: rule ANY
    if not same:
        lost_soa = server == "knot" and cut.answer == whole.answer and not cut.authority
        return "TC-SOA" if lost_soa and whole.authority == negative(case.zone) else None
    lost = whole.additional - cut.additional
    if not lost:
        return ""
    return "TC-ADDITIONAL" if cut.additional <= whole.additional else None
