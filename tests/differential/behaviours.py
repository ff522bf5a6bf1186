"""What each server does in cases with a name: one small set of zones, one question for each behaviour, and
the reply in a word or two. The table of docs/conformance.md is made of this, and the test fails when any
of the four does something else than is written there."""
import pathlib
import tempfile

import asking
import questions
import replies
from model import A, AAAA, ANY, CNAME, DNAME, DS, HTTPS, MX, NS, SOA, SRV, SVCB, TXT
from questions import Question
from servers import NAMES, Four

ZONE = """$TTL 300
@ 3600 SOA ns1 host 1 3600 900 604800 60
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.1
www AAAA 2001:db8::1
www TXT "web"
Case A 192.0.2.2
a.b.ent A 192.0.2.3
*.wild A 192.0.2.4
x.wild TXT "blocks"
*.deep.wild2 A 192.0.2.5
host.sub.deep.wild2 A 192.0.2.6
*.walias CNAME www
alias CNAME www
alias2 CNAME alias
dead CNAME nothing
out CNAME www.elsewhere.example.
other CNAME www.other.test.
intocut CNAME host.cut
loop1 CNAME loop2
loop2 CNAME loop1
self CNAME self
dn DNAME target
www.target A 192.0.2.7
longdn DNAME {long}
cut NS ns.cut
ns.cut A 192.0.2.8
cut DS 1 13 2 {digest}
sibling NS ns.cut
lame NS ns.elsewhere.example.
child NS ns1.child
ns1.child A 192.0.2.9
occluded.cut TXT "hidden"
{fat}
mail MX 10 www
srv SRV 1 1 80 www
svc HTTPS 1 www alpn=h2
svcalias SVCB 0 svc
big TXT {big}
unknown TYPE65280 \\# 3 010203
mixed 60 TXT "one"
mixed 300 TXT "two"
any A 192.0.2.10
any MX 10 www
any TXT "any"
"""
CHILD = """$TTL 300
@ SOA ns1 host 1 3600 900 604800 60
@ NS ns1
ns1 A 192.0.2.9
www A 192.0.2.20
"""
# One oddity each: who loads the zone?
LOADS = {
    "data below a DNAME": "d DNAME x\na.d A 192.0.2.1\n",
    "NS at a wildcard": "*.w NS ns1\n",
    "DNAME at a wildcard": "*.w DNAME x\n",
    "CNAME beside other data": "c CNAME www\nc A 192.0.2.1\n",
    "two CNAMEs at one name": "c CNAME www\nc CNAME ns1\n",
    "records of one RRset with two TTLs": 'm 60 TXT "a"\nm 300 TXT "b"\n',
    "a record outside the zone": "x.elsewhere.example. A 192.0.2.1\n",
    "a server of the zone itself without an address": "@ NS nowhere\n",
    "an MX that points to a CNAME": "m MX 1 c\nc CNAME www\n",
}
SECOND = """$TTL 300
@ SOA ns1 host 1 3600 900 604800 60
@ NS ns1
ns1 A 192.0.2.53
www A 192.0.2.1
"""


def ask(name, rdtype=A, **changes):
    """A question with EDNS of 1232 octets."""
    labels = tuple(part.encode() for part in name.split(".") if part)
    question = Question(labels, rdtype)
    question.edns = (1232, 0, 0)
    for key, value in changes.items():
        setattr(question, key, value)
    return question.compose()


# (behaviour, source, test of steerd's own, question)
ROWS = [
    ("records of a name", "RFC 1034 4.3.2", "ZoneAnswers.RecordsNodataAndNxdomain", ask("www.beh.test")),
    ("type that the name lacks", "RFC 2308 2.2", "ZoneAnswers.RecordsNodataAndNxdomain",
     ask("www.beh.test", MX)),
    ("name that is not there", "RFC 2308 2.1", "ZoneAnswers.RecordsNodataAndNxdomain",
     ask("no.beh.test")),
    ("below a name that is not there", "RFC 8020 2", "Lookup.TellsNoDataFromNxDomain",
     ask("below.no.beh.test")),
    ("TTL of a negative answer, SOA TTL 3600, minimum 60", "RFC 2308 5",
     "Lookup.NegativeTtlIsTheSoaTtlWhereThatIsLower", ask("no.beh.test", shows_ttl=True)),
    ("empty non-terminal", "RFC 4592 2.2.2, RFC 8020", "Lookup.EmptyNonTerminalsExist",
     ask("b.ent.beh.test")),
    ("below an empty non-terminal", "RFC 4592 2.2.2", "Lookup.EmptyNonTerminalsExist",
     ask("z.ent.beh.test")),
    ("wildcard", "RFC 4592 3.3.1", "Rfc4592.SynthesisesForWhatIsNotThere", ask("y.z.wild.beh.test")),
    ("wildcard, type it lacks", "RFC 4592 3.3.1", "Rfc4592.SynthesisesForWhatIsNotThere",
     ask("y.wild.beh.test", MX)),
    ("wildcard blocked by an existing name", "RFC 4592 3.3.1", "Rfc4592.ExistingNamesBlock",
     ask("y.x.wild.beh.test")),
    ("wildcard blocked by an empty non-terminal", "RFC 4592 2.2.2",
     "Rfc4592.EmptyNonTerminalsBlock",
     ask("sub.deep.wild2.beh.test")),
    ("the wildcard itself asked for", "RFC 4592 2.1.2", "Rfc4592.SynthesisesForWhatIsNotThere",
     ask("*.wild.beh.test")),
    ("wildcard CNAME", "RFC 4592 3.3.1", "ZoneAnswers.CnamesAreFollowedInTheZone",
     ask("q.walias.beh.test")),
    ("CNAME chain in the zone", "RFC 1034 3.6.2", "ZoneAnswers.CnamesAreFollowedInTheZone",
     ask("alias2.beh.test")),
    ("CNAME asked for", "RFC 1034 3.6.2", "ZoneAnswers.CnamesAreFollowedInTheZone",
     ask("alias2.beh.test", CNAME)),
    ("CNAME to a name that is not there", "RFC 6604 2.1", "ZoneAnswers.CnamesAreFollowedInTheZone",
     ask("dead.beh.test")),
    ("CNAME, type that its target lacks", "RFC 2308 2.2", "ZoneAnswers.CnamesAreFollowedInTheZone",
     ask("alias.beh.test", MX)),
    ("CNAME out of all zones", "RFC 1034 3.6.2", "ZoneAnswers.CnamesAreFollowedInTheZone",
     ask("out.beh.test")),
    ("CNAME into another zone of this server", "RFC 1034 4.3.2",
     "ZoneAnswers.CnamesAreFollowedInTheZone",
     ask("other.beh.test")),
    ("CNAME to a name below a cut", "RFC 1034 4.3.2", "ZoneAnswers.CnamesAreFollowedInTheZone",
     ask("intocut.beh.test")),
    ("CNAME loop of two", "RFC 1034 3.6.2", "ZoneAnswers.ChainsOfNineAreFollowedAndLoopsEnd",
     ask("loop1.beh.test")),
    ("CNAME to itself", "RFC 1034 3.6.2", "ZoneAnswers.ChainsOfNineAreFollowedAndLoopsEnd",
     ask("self.beh.test")),
    ("name below a DNAME", "RFC 6672 3.2", "ZoneAnswers.Dname", ask("www.dn.beh.test")),
    ("DNAME's own name, another type", "RFC 6672 2.2", "ZoneAnswers.Dname", ask("dn.beh.test")),
    ("DNAME asked for", "RFC 6672 2.2", "ZoneAnswers.Dname", ask("dn.beh.test", DNAME)),
    ("DNAME to a name that is not there", "RFC 6604 2.1", "ZoneAnswers.Dname", ask("no.dn.beh.test")),
    ("DNAME that makes a name of 256 octets", "RFC 6672 2.2", "ZoneAnswers.Dname",
     ask("l" * 60 + "." + "l" * 60 + ".longdn.beh.test")),
    ("referral", "RFC 1034 4.2.1, RFC 9471", "ZoneAnswers.ReferralsAreNotAuthoritativeAndCarryGlue",
     ask("host.cut.beh.test")),
    ("the cut itself", "RFC 1034 4.2.1", "ZoneAnswers.ReferralsAreNotAuthoritativeAndCarryGlue",
     ask("cut.beh.test", NS)),
    ("DS at a cut", "RFC 4035 3.1.4.1", "Lookup.ParentAnswersDsAtTheCut", ask("cut.beh.test", DS)),
    ("DS at a cut without one", "RFC 4035 3.1.4.1", "Lookup.ParentAnswersDsAtTheCut",
     ask("lame.beh.test", DS)),
    ("glue asked for", "RFC 1034 4.2.1", "Lookup.GlueIsFoundAlsoBelowACut", ask("ns.cut.beh.test")),
    ("name occluded by a cut", "RFC 2136 7.18", "Lookup.GlueIsFoundAlsoBelowACut",
     ask("occluded.cut.beh.test", TXT)),
    ("referral, server below a sibling cut", "RFC 9471 3.2",
     "ZoneAnswers.ReferralsAreNotAuthoritativeAndCarryGlue",
     ask("host.sibling.beh.test")),
    ("referral, glue that does not fit", "RFC 9471 3.1", "Truncation.RequiredGlueThatDoesNotFitSetsTc",
     ask("host.fat.beh.test")),
    ("child zone on the same server", "RFC 1034 4.3.2",
     "ZoneAnswers.ParentChildAndUnavailableZones",
     ask("www.child.beh.test")),
    ("DS of a child zone on the same server", "RFC 4035 3.1.4.1",
     "ZoneSetFind.DsAtAnApexIsAskedOfTheZoneAbove",
     ask("child.beh.test", DS)),
    ("outside all zones", "RFC 8906 3.1.1", "ZoneAnswers.OutsideAllZonesIsRefusedWithoutAa",
     ask("www.nowhere.example")),
    ("zone that could not be loaded", "RFC 1035 4.1.1",
     "ZoneAnswers.ParentChildAndUnavailableZones",
     ask("www.bad.test")),
    ("ANY over UDP", "RFC 8482 4.1", "ZoneAnswers.AnyIsOneRrset", ask("any.beh.test", ANY)),
    ("ANY over TCP", "RFC 8482 4.1", "ZoneAnswers.AnyIsOneRrset", ask("any.beh.test", ANY, tcp=True)),
    ("type 65280", "RFC 3597 3", "Form.UnknownTypesAndGenericRdata", ask("unknown.beh.test", 65280)),
    ("MX: addresses of the target", "RFC 1035 3.3.9", "Additional.ServersOfMxAndSrvOnceEachWhereTheZoneKnowsThem",
     ask("mail.beh.test", MX)),
    ("SRV: addresses of the target", "RFC 2782", "Additional.ServersOfMxAndSrvOnceEachWhereTheZoneKnowsThem",
     ask("srv.beh.test", SRV)),
    ("NS at the apex: addresses", "RFC 1035 3.3.11", "Additional.ServersOfTheZoneItself",
     ask("beh.test", NS)),
    ("HTTPS: addresses of the target", "RFC 9460 4.1", "Additional.ServiceBindingsNameThemselvesOrTheirTarget",
     ask("svc.beh.test", HTTPS)),
    ("SVCB in alias mode", "RFC 9460 4.1", "Additional.ServiceBindingsNameThemselvesOrTheirTarget",
     ask("svcalias.beh.test", SVCB)),
    ("too large for UDP", "RFC 2181 9", "Truncation.NeverLeavesHalfAnRrsetAtAnyLimit",
     ask("big.beh.test", TXT)),
    ("the same over TCP", "RFC 7766 5", "test_truncation_and_tcp", ask("big.beh.test", TXT, tcp=True)),
    ("no EDNS asked, 513 octets or more", "RFC 1035 4.2.1", "Query.UdpSizeBelow512CountsAs512",
     ask("big.beh.test", TXT, edns=None)),
    ("EDNS version 1", "RFC 6891 6.1.3", "MalformedQuery.OtherEdnsVersionIsBadVers",
     ask("www.beh.test", edns=(1232, 1, 0))),
    ("EDNS option unknown", "RFC 6891 6.1.2", "Query.UnknownOptionsArePassedOver",
     ask("www.beh.test", options=[(questions.UNKNOWN, b"abc")])),
    ("EDNS flags unknown", "RFC 6891 6.1.4", "Response.OptAnnouncesOurSizeAndCopiesDo",
     ask("www.beh.test", edns=(1232, 0, 0x7FFF))),
    ("NSID, where none is configured", "RFC 5001 2.2", "Edns.NsidOnlyWhenAskedFor",
     ask("www.beh.test", options=[(questions.NSID, b"")])),
    ("client subnet, static name", "RFC 7871 7.2.1",
     "test_static_names_have_scope_0_and_no_ecs_in_no_ecs_out",
     ask("www.beh.test", options=[(questions.SUBNET, b"\0\1\x18\0\xc0\0\2")])),
    ("edns-tcp-keepalive over TCP", "RFC 7828 3.2.1", "AnswerOptionsTest.TheIdleTimeoutIsToldOverTcpToWhoAsks",
     ask("www.beh.test", tcp=True, options=[(questions.KEEPALIVE, b"")])),
    ("a client's cookie, where the others' cookies are off", "RFC 7873 5.2.3, RFC 9018 4",
     "AnswerOptionsTest.CookiesComeWithEveryKindOfAnswer",
     ask("www.beh.test", options=[(questions.COOKIE, b"\1" * 8)])),
    ("AXFR of a zone it has, nobody allowed", "RFC 5936 2.2.1",
     "ZoneAnswers.TransfersAreRefusedAndMetaTypesAreNoQuestions",
     ask("beh.test", questions.AXFR, tcp=True)),
    ("AXFR of a name that is no apex", "RFC 5936 2.2.1",
     "ZoneAnswers.TransfersAreRefusedAndMetaTypesAreNoQuestions",
     ask("www.beh.test", questions.AXFR, tcp=True)),
    ("IXFR over UDP", "RFC 1995 2", "ZoneAnswers.TransfersAreRefusedAndMetaTypesAreNoQuestions",
     ask("beh.test", questions.IXFR)),
    ("version.bind, not configured", "RFC 4892", "ZoneAnswers.Classes",
     ask("version.bind", TXT, qclass=3)),
    ("NOTIFY", "RFC 1996 3.11", "MalformedQuery.OtherOpcodesAreNotImplemented",
     ask("beh.test", SOA, opcode=4)),
    ("UPDATE", "RFC 2136 3", "MalformedQuery.OtherOpcodesAreNotImplemented",
     ask("beh.test", SOA, opcode=5)),
    ("opcode 15", "RFC 8906 3.1.4", "MalformedQuery.OtherOpcodesAreNotImplemented",
     ask("beh.test", SOA, opcode=15)),
    ("AD set in the question", "RFC 6840 5.7", "Response.HeaderFollowsTheQuery",
     ask("www.beh.test", flags=questions.AD)),
    ("Z set in the question", "RFC 1035 4.1.1, RFC 8906 3.1.3", "Response.HeaderFollowsTheQuery",
     ask("www.beh.test", flags=questions.Z)),
    ("RD set in the question", "RFC 1035 4.1.1", "ZoneAnswers.HeaderBits",
     ask("www.beh.test", flags=questions.RD)),
    ("upper case in the question comes back", "RFC 1035 4.1.2, RFC 4343",
     "Response.QuestionIsEchoedOctetForOctet",
     ask("cASe.beh.test")),
]

EXTENDED_ERROR = 15  # RFC 8914
IDENTITY = "node-four"
# The same, of servers that are told to say who they are.
NAMED = [
    ("id.server", "RFC 4892", "ZoneAnswers.Classes", ask("id.server", TXT, qclass=3)),
    ("hostname.bind", "RFC 4892", "ZoneAnswers.Classes", ask("hostname.bind", TXT, qclass=3)),
    ("version.bind", "RFC 4892", "ZoneAnswers.Classes", ask("version.bind", TXT, qclass=3)),
    ("another name of class CH", "RFC 4892", "ZoneAnswers.Classes", ask("www.beh.test", TXT, qclass=3)),
    ("NSID asked for", "RFC 5001 2.2", "Edns.NsidOnlyWhenAskedFor",
     ask("www.beh.test", options=[(questions.NSID, b"")])),
    ("NSID not asked for", "RFC 5001 2.2", "Edns.NsidOnlyWhenAskedFor", ask("www.beh.test")),
]


def zone_files(folder):
    """[(apex, file)], written."""
    big = " ".join(f'"{n:02d}{"b" * 98}"' for n in range(14))
    fat = "\n".join(f"fat NS ns{n}.fat\nns{n}.fat A 192.0.2.{n}\nns{n}.fat AAAA 2001:db8::{n}"
                    for n in range(1, 31))
    zone = ZONE.format(fat=fat, long=".".join(["t" * 63] * 2 + ["t" * 30]), digest="ab" * 32, big=big)
    texts = {"beh.test.": zone, "child.beh.test.": CHILD, "other.test.": SECOND,
             "bad.test.": "@ this is no zone\n"}
    for n, text in enumerate(LOADS.values()):
        texts[f"load{n}.test."] = SECOND + text
    files = []
    for apex, text in texts.items():
        path = pathlib.Path(folder) / (apex + "zone")
        path.write_text(text)
        files.append((apex, str(path)))
    return files


def types(records):
    """The types there are, in order: "CNAME A"."""
    known = {A: "A", NS: "NS", CNAME: "CNAME", SOA: "SOA", MX: "MX", TXT: "TXT", AAAA: "AAAA", SRV: "SRV",
             DNAME: "DNAME", DS: "DS", SVCB: "SVCB", HTTPS: "HTTPS"}
    return " ".join(known.get(t, f"TYPE{t}") for t in sorted({record[1] for record in records}))


def word(question, octets):
    """The reply in a word or two."""
    if octets is None:
        return "silence"
    reply = replies.Reply(octets)
    kind = reply.rcode_text
    if kind == "NOERROR" and reply.answer:
        kind = types(reply.answer)
    elif kind == "NOERROR" and any(r[1] == NS for r in reply.authority) and not reply.aa:
        kind = "referral"
    elif kind == "NOERROR" and not reply.tc and question.opcode == 0 and question.qclass == 1:
        kind = "NODATA"
    if reply.answer and reply.rcode_text != "NOERROR":
        kind += " " + types(reply.answer)
    notes = []
    expects_aa = (reply.rcode_text in ("NOERROR", "NXDOMAIN") and kind != "referral"
                  and question.opcode == 0)
    notes += ["TC"] if reply.tc else []
    notes += ["no AA"] if expects_aa and not reply.aa else []
    notes += ["with SOA"] if reply.answer and any(r[1] == SOA for r in reply.authority) else []
    notes += [f"TTL {r[3]}" for r in reply.authority if getattr(question, "shows_ttl", False)]
    notes += ["without SOA"] if kind in ("NODATA", "NXDOMAIN") and not reply.authority else []
    notes += ["with referral"] if reply.answer and any(r[1] == NS for r in reply.authority) else []
    notes += ["with " + types(reply.additional)] if reply.additional else []
    notes += [flag.upper() for flag in ("rd", "ra", "z", "ad", "cd") if getattr(reply, flag)]
    notes += option_notes(reply)
    if reply.question != question.question_octets():
        notes.append("question not echoed")
    return ", ".join([kind, *notes])


def option_notes(reply):
    notes = []
    if reply.edns and reply.edns[2]:
        notes.append(f"flags {reply.edns[2]:#x}")
    for code, octets in sorted((reply.options if reply.edns else {}).items()):
        if code == questions.SUBNET:
            notes.append(f"scope {octets[3]}")
        elif code == questions.KEEPALIVE:
            notes.append("keepalive")
        elif code == questions.NSID:
            notes.append("NSID")
        elif code == questions.COOKIE:
            notes.append("cookie")
        elif code == EXTENDED_ERROR:
            notes.append(f"extended error {int.from_bytes(octets[:2], 'big')}")
    return notes


def observe():
    """[(behaviour, source, test, [word of each server])], loads last."""
    asked, named = [row[3] for row in ROWS], [row[3] for row in NAMED]
    loads = [ask(f"load{n}.test", SOA) for n in range(len(LOADS))]
    with tempfile.TemporaryDirectory(prefix="differential-behaviours-") as folder:
        files = zone_files(folder)
        with Four(files) as four:
            said = {name: asking.ask_all(port, asked + loads) for name, port in four.ports().items()}
        with Four(files[:1], IDENTITY) as four:
            told = {name: asking.ask_all(port, named) for name, port in four.ports().items()}
    table = [(what, source, test, [word(question, said[name][i]) for name in NAMES])
             for i, (what, source, test, question) in enumerate(ROWS)]
    table += [(f"{what}, identity configured", source, test,
               [word(question, told[name][i]) for name in NAMES])
              for i, (what, source, test, question) in enumerate(NAMED)]
    for n, what in enumerate(LOADS):
        words = [word(loads[n], said[name][len(asked) + n]) for name in NAMES]
        words = ["yes" if w == "SOA" else "no" if w.startswith("SERVFAIL") else w for w in words]
        table.append((f"loads {what}", "RFC 1035 5.2", "", words))
    return table
