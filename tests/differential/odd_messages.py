"""How messages are met that are broken, or that ask for what is no question to a zone: one row for each
form, with the words for each server. "answered": as if the form were in order, and compared so."""

from servers import NAMES

# Codes: Q FORMERR, NI NOTIMP, R REFUSED, NA NOTAUTH, E NOERROR, X NXDOMAIN, S silence, A answered; N behind
# one: the question is not echoed (N alone: FORMERR without it); "-" behind: no OPT though there was one;
# "~": the same, of questions with and without OPT. Several codes where the octets decide among them.
CODES = {"Q": "FORMERR", "N": "FORMERR without question", "NI": "NOTIMP", "NIN": "NOTIMP without question",
         "R": "REFUSED", "RN": "REFUSED without question", "NA": "NOTAUTH", "NAN": "NOTAUTH without question",
         "E": "NOERROR",
         "EN": "NOERROR without question", "X": "NXDOMAIN", "XN": "NXDOMAIN without question",
         "S": "silence", "A": "answered"}

# form: (id, source, steerd, NSD, Knot, BIND)
BROKEN = {
    "shorter than a header": ("MSG-SHORT", "RFC 1035 4.1.1", "S", "S", "S", "S"),
    "an answer": ("MSG-ANSWER", "RFC 1035 4.1.1", "S", "S", "S", "S"),
    "no question": ("MSG-QDCOUNT-0", "RFC 9619 4", "N", "N S", "N", "N"),
    "no question but an OPT": ("MSG-QDCOUNT-0-OPT", "RFC 9619 4", "N", "EN", "N", "N"),
    "two questions": ("MSG-QDCOUNT-2", "RFC 9619 4", "N", "N", "S", "N"),
    "question missing": ("MSG-CUT", "RFC 1035 4.1", "N", "N S", "S", "N"),
    "question cut": ("MSG-CUT", "RFC 1035 4.1", "N", "N S", "S", "N"),
    "label type 0x40": ("MSG-NAME", "RFC 1035 4.1.4", "N", "N", "S", "N"),
    "label type 0x80": ("MSG-NAME", "RFC 1035 4.1.4", "N", "N", "S", "N"),
    "pointer to itself": ("MSG-NAME", "RFC 1035 4.1.4", "N", "N", "S", "N"),
    "pointer forward": ("MSG-NAME", "RFC 1035 4.1.4", "N", "N", "S", "N"),
    "name of 256 octets": ("MSG-NAME", "RFC 1035 2.3.4", "N", "N", "S", "N"),
    "pointer into the header": ("MSG-POINTER-HEADER", "RFC 1035 4.1.4", "N", "N", "S", "R"),
    "octets behind": ("MSG-TRAILING", "RFC 1035 4.1", "Q", "A", "Q-", "A"),
    "octets behind the question": ("MSG-TRAILING", "RFC 1035 4.1", "Q", "A", "Q", "A"),
    "counts without records": ("MSG-COUNTS", "RFC 1035 4.1.1", "Q", "N-", "Q-", "Q-"),
    "OPT cut": ("MSG-COUNTS", "RFC 1035 4.1.1", "Q-", "N-", "Q-", "Q-"),
    "a record in the answer section": ("MSG-RECORDS", "RFC 8906 3.2", "A", "N", "A", "A"),
    "a record in the authority section": ("MSG-RECORDS", "RFC 8906 3.2", "A", "N", "A", "A"),
    "a record in the additional section": ("MSG-RECORDS", "RFC 8906 3.2", "A", "N", "A", "A"),
    "OPT before another record": ("MSG-RECORDS", "RFC 6891 6.1.1", "A", "N-", "A", "A"),
    "two OPTs": ("OPT-TWICE", "RFC 6891 6.1.1, 7", "Q", "N-", "Q-", "Q-"),
    "OPT in the answer section": ("OPT-SECTION", "RFC 6891 6.1.1", "Q-", "N-", "Q-", "Q-"),
    "OPT in the authority section": ("OPT-SECTION", "RFC 6891 6.1.1", "Q-", "N-", "Q-", "Q-"),
    "OPT of another owner": ("OPT-OWNER", "RFC 6891 6.1.2", "Q-", "N-", "A", "Q-"),
    "option longer than the OPT": ("OPT-OPTIONS", "RFC 6891 6.1.2, 7", "Q", "N-", "Q-", "Q-"),
    "half an option": ("OPT-OPTIONS", "RFC 6891 6.1.2, 7", "Q", "N-", "Q-", "Q-"),
    "cookie of 7 octets": ("COOKIE-LENGTH", "RFC 7873 5.2.2", "Q", "A", "A", "Q"),
    "cookie of 12 octets": ("COOKIE-LENGTH", "RFC 7873 5.2.2", "Q", "A", "A", "Q"),
    "subnet of a family unknown": ("SUBNET-MALFORMED", "RFC 7871 7.1.2", "Q", "A", "A", "Q"),
    "subnet too long": ("SUBNET-MALFORMED", "RFC 7871 7.1.2", "Q", "A", "A", "Q"),
    "subnet too short": ("SUBNET-MALFORMED", "RFC 7871 7.1.2", "Q", "A", "A", "Q"),
    "subnet with bits behind": ("SUBNET-MALFORMED", "RFC 7871 7.1.2", "Q", "A", "A", "Q"),
    "subnet with scope": ("SUBNET-SCOPE", "RFC 7871 7.1.2", "Q", "A", "A", "Q-"),
    "signed with an unknown key": ("TSIG-UNKNOWN-KEY", "RFC 8945 5.2.1", "NA", "NAN", "NA R NI", "NA"),
    "TSIG before another record": ("TSIG-PLACE", "RFC 8945 5.1", "Q", "N", "Q", "Q"),
    "NSID with octets": ("NSID-OCTETS", "RFC 5001 2.1", "A", "A", "A", "A"),
}
# Broken messages in which an OPT stands that a server could have read.
WITH_OPT = {form for form in BROKEN if "OPT" in form or "subnet" in form or "cookie" in form} | {
    "octets behind", "counts without records", "half an option", "NSID with octets"}
OPCODES = {
    1: ("OPCODE-OTHER", "RFC 1035 4.1.1, RFC 8906 3.1.4", "NI", "NIN~", "NI", "NIN"),
    4: ("OPCODE-NOTIFY", "RFC 1996", "NI", "RN~ XN~ EN~", "NA R", "Q E NA"),
    5: ("OPCODE-UPDATE", "RFC 2136 3", "NI", "NIN~", "Q NA", "Q R NA"),
}
OPCODES.update({opcode: OPCODES[1] for opcode in (2, 3, 6, 7, 15)})
CLASSES = {
    0: ("CLASS-UNKNOWN", "RFC 1035 4.1.1", "R", "RN", "R", "Q NI"),
    3: ("CLASS-CH", "RFC 4892", "R", "R RN", "R", "R E Q X"),
    4: ("CLASS-HS", "RFC 1035 3.2.4", "R", "RN", "R", "R"),
    255: ("CLASS-ANY", "RFC 1035 3.2.5", "A", "A", "A", "Q"),
}
CLASSES.update({rdclass: CLASSES[0] for rdclass in (2, 254, 1000)})
TYPES = {
    0: ("TYPE-0", "RFC 6895 3.1", "A", "A", "NI", "A"),
    41: ("TYPE-OPT", "RFC 6891 6.1.1", "Q", "A", "A", "Q"),
    128: ("TYPE-META-RANGE", "RFC 6895 3.1", "A", "A", "A", "Q"),
    249: ("TYPE-TKEY", "RFC 2930 4", "NI", "A", "A", "Q"),
    250: ("TYPE-TSIG", "RFC 8945 5.1", "Q", "A", "A", "Q"),
    251: ("TYPE-XFR", "RFC 5936 2.2.1", "R NA", "NA R NI", "NA R NI", "NA R"),
    253: ("TYPE-MAIL", "RFC 2671", "NI", "A", "A", "NI"),
}
TYPES.update({252: TYPES[251], 254: TYPES[253]})


def row_for(question):
    """The row that tells how this message is met, or None: it is a question as any other."""
    if question.broken:
        return BROKEN[question.broken]
    if question.opcode:
        return OPCODES[question.opcode]
    if question.qclass != 1:
        return CLASSES[question.qclass]
    return TYPES.get(question.qtype)


def texts(code):
    """The words of a code; two for "~", of which the first is shown."""
    plain = CODES[code.rstrip("-~")]
    if code[-1] not in "-~":
        return [plain]
    without = plain + (" and OPT" if " without " in plain else " without OPT")
    return [without] if code[-1] == "-" else [without, plain]


def words(row, index):
    return {text for code in row[2 + index].split() for text in texts(code)}


def shown(row, index):
    return " or ".join(texts(code)[0] for code in row[2 + index].split())


def explain(case, counts):
    """Takes out of the comparison what is met as its row says; "answered" stays, to be compared with the
    like. counts[id] grows by one for each reply explained."""
    row = row_for(case.question)
    if row and set(row[2:]) == {"A"}:  # nobody minds, so that nothing is taken out
        counts[row[0]] = counts.get(row[0], 0) + 1
    for index, server in enumerate(NAMES if row else ()):
        word, known = case.words.get(server), words(row, index)
        if word in known:
            case.drop(server)
            counts[row[0]] = counts.get(row[0], 0) + 1
        elif "answered" not in known:
            case.problems.append(f"{server}: {word!r} where {row[0]} has {sorted(known)}")
