"""The three tables of docs/conformance.md that are made by this folder, each between two marks:
what the servers do (observed), how messages are met that are no plain questions, known differences."""
import re

import additional
import differences
import odd_messages
import truncation
from servers import NAMES, TITLES, version_of

MARK = "<!-- made by tests/differential: {} -->\n"
END = "<!-- end -->\n"


def row(*cells):
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |\n"


def head(*cells):
    return row(*cells) + "|" + "---|" * len(cells) + "\n"


def servers_head(*before, after=()):
    return head(*before, *(TITLES[name] + ("" if name == "steerd" else " " + short(version_of(name)))
                           for name in NAMES), *after)


def short(version):
    """The release as it matters here: updates of Debian's stay within it."""
    return ".".join(version.split(".")[:2])


def behaviours(observed):
    text = servers_head("behaviour", "source", "test")
    for what, source, test, cells in observed:
        text += row(what, source, test, *cells)
    return text


def messages():
    text = servers_head("id", "message", "source")
    rows = [(form, row) for form, row in odd_messages.BROKEN.items()]
    for word, table in (("opcode", odd_messages.OPCODES), ("class", odd_messages.CLASSES),
                        ("type", odd_messages.TYPES)):
        rows += [(f"{word} {number}", entry) for number, entry in sorted(table.items())]
    merged = {}
    for form, entry in rows:
        merged.setdefault(entry, []).append(form)
    for entry, forms in merged.items():
        text += row(entry[0], ", ".join(forms), entry[1],
                    *(odd_messages.shown(entry, i) for i in range(len(NAMES))))
    return text


def known():
    text = servers_head("id", after=("why",))
    for rule in differences.RULES + truncation.RULES + additional.RULES:
        text += row(rule.key, *rule.cells, rule.why)
    return text


def parts(observed=None):
    """name -> text, of the tables that can be made without (or with) running servers."""
    made = {"messages": messages(), "differences": known()}
    if observed is not None:
        made["behaviours"] = behaviours(observed)
    return made


def in_document(document, name):
    """What stands between the marks."""
    found = re.search(re.escape(MARK.format(name)) + "(.*?)" + re.escape(END), document, re.S)
    return found.group(1) if found else None


def replace(document, name, text):
    mark = MARK.format(name)
    return re.sub(re.escape(mark) + ".*?" + re.escape(END), lambda _: mark + text + END, document, flags=re.S)
