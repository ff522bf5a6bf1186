"""The house keeps its rules: what may include what, what may not be called, how large a room may
grow, and that documents speak of functions and keys that exist."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["STEERD_SOURCE_DIR"])

# Lower rungs first; folders on one rung never see each other.
LADDER = [["base"], ["dns"], ["geo", "health"], ["zones"], ["config"], ["policy"], ["control"],
          ["server", "drill"], ["admin"], ["cli"]]
RUNG = {folder: i for i, folders in enumerate(LADDER) for folder in folders}
FOLDERS = [f for folders in LADDER for f in folders]
# "geo/ knows no DNS", "health/ is pure": they stand above dns/ on the ladder but need no word of it.
NOT_EVEN = {"geo": {"dns"}, "health": {"dns"}}
ONLY_IN = {"maxminddb.h": ["geo/"], "ldns/": ["zones/rdata_ldns.cc"], "sodium/": ["dns/cookie.cc"], "toml++": ["config/"],
           "fstrm.h": ["server/dnstap_sink.cc"],
           "curl/curl.h": ["health/probers/", "cli/admin_client.cc"],
           "microhttpd.h": ["admin/http_server.cc", "admin/pump.cc"], "uv.h": ["health/probers/", "server/", "drill/", "admin/"]}
BANNED = {
    r"system_clock::now|steady_clock::now": ["base/clock.cc"],
    r"\b(std::)?time\(|\bgettimeofday\(|\bclock_gettime\(": [],
    r"\b(std::)?s?rand\(": [],
    r"std::cout|std::cerr|std::clog": [],
    r"\bprintf\(|\bputs\(": ["cli/"],
    r"std::regex": [],
    r"#include <iostream>": [],
}
# The rooms of the packet path may not lock, log or throw (allocation is counted by a test).
PACKET = ["policy/answer_common.cc", "policy/answer_ready.cc", "policy/asked.h", "dns/query.cc", "dns/edns.cc",
          "dns/cookie.cc", "dns/response.cc", "dns/wire.cc", "policy/answer.cc", "policy/answer_options.cc",
          "policy/answer_zone.cc", "policy/answer_steered.cc", "policy/answer_additional.cc",
          "policy/decide.cc",
          "policy/decide_resolve.cc", "policy/evaluate.cc", "policy/evaluate_ranks.cc", "server/counters.h",
          "server/udp.cc", "server/rate_limiter.h", "policy/turn_away.cc",
          "zones/zone_set.cc", "zones/zone.cc"]


def sources():
    for folder in FOLDERS:
        for path in sorted((SOURCE / folder).rglob("*")):
            if path.suffix in (".cc", ".h"):
                yield path.relative_to(SOURCE).as_posix(), path.read_text()


def without_comments(text):
    text = re.sub(r'"(\\.|[^"\\\n])*"', '""', text)
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S)


class House(unittest.TestCase):
    def test_includes_point_down_the_ladder(self):
        wrong = []
        for name, text in sources():
            here = name.split("/")[0]
            prober = name.startswith("health/probers/")
            for included in re.findall(r'^#include "([^"]+)"', text, re.M):
                there = included.split("/")[0]
                if there == here:
                    continue
                if there not in RUNG:
                    wrong.append(f"{name}: {included} is no room of the house")
                elif RUNG[there] >= RUNG[here] or (there in NOT_EVEN.get(here, ()) and not prober):
                    wrong.append(f"{name} may not include {included}")
        self.assertEqual(wrong, [])

    def test_libraries_stop_where_they_belong(self):
        wrong = []
        for name, text in sources():
            for included in re.findall(r"^#include <([^>]+)>", text, re.M):
                for library, rooms in ONLY_IN.items():
                    if included.startswith(library) and not any(name.startswith(r) for r in rooms):
                        wrong.append(f"{name} may not include <{included}>")
        self.assertEqual(wrong, [])

    def test_no_banned_call(self):
        wrong = []
        for name, text in sources():
            code = without_comments(text)
            for pattern, rooms in BANNED.items():
                if re.search(pattern, code) and not any(name.startswith(r) for r in rooms):
                    wrong.append(f"{name}: {pattern}")
        self.assertEqual(wrong, [])

    def test_the_packet_path_neither_locks_nor_throws_nor_logs(self):
        wrong = []
        for name in PACKET:
            path = SOURCE / name
            if not path.exists():
                wrong.append(f"{name} is named here and does not exist")
                continue
            code = without_comments(path.read_text())
            for word in (r"\bthrow\b", r"std::mutex", r"lock_guard", r"\blog\(", r"std::function",
                         r"std::string\s(?!file\b)", r"\bnew\s", r"make_shared", r"make_unique\b(?!<Buffers>)"):
                if re.search(word, code):
                    wrong.append(f"{name}: {word}")
        self.assertEqual(wrong, [])

    def test_every_header_is_guarded_and_every_file_says_what_it_is(self):
        wrong = []
        for name, text in sources():
            if name.endswith(".h") and "#pragma once" not in text:
                wrong.append(f"{name}: no #pragma once")
            if name.endswith(".h") and not text.startswith("//"):
                wrong.append(f"{name}: does not open with what it is")
        self.assertEqual(wrong, [])

    def test_rooms_stay_small(self):
        wrong = [f"{name}: {text.count(chr(10))} lines" for name, text in sources()
                 if text.count("\n") > (200 if name.endswith(".h") else 400)]
        self.assertEqual(wrong, [])

    def test_lines_stay_short(self):
        wrong = [f"{name}:{i}" for name, text in sources()
                 for i, line in enumerate(text.splitlines(), 1) if len(line) > 100]
        self.assertEqual(wrong, [])

    def test_documents_name_functions_and_files_that_exist(self):
        code = "\n".join(text for _, text in sources())
        wrong = []
        for document in [*SOURCE.glob("docs/*.md"), *SOURCE.glob("*.md")]:
            for word in re.findall(r"`([^`\n]+)`", document.read_text()):
                function = re.fullmatch(r"(?:[\w:]+::|[\w.]+\.)?(\w+)\((?:\.\.\.)?\)", word)
                if function and not re.search(rf"\b{function.group(1)}\b", code):
                    wrong.append(f"{document.name}: {word}")
                path = re.fullmatch(r"((?:%s|tests|docs|scripts|examples|bench)/[\w./-]+\.\w+)"
                                    % "|".join(FOLDERS), word)
                if path and not (SOURCE / path.group(1)).exists():
                    wrong.append(f"{document.name}: {word}")
        self.assertEqual(wrong, [])

    def test_every_toml_block_in_the_documents_loads(self):
        steerd = os.environ["STEERD_BINARY"]
        for document in [*SOURCE.glob("docs/*.md"), *SOURCE.glob("*.md")]:
            for block in re.findall(r"```toml\n(.*?)```", document.read_text(), re.S):
                with tempfile.TemporaryDirectory() as folder:
                    self.load(steerd, document, block, pathlib.Path(folder))

    def load(self, steerd, document, block, folder):
        for apex, file in re.findall(r'\[zones\."([^"]+)"\]\s*\nfile\s*=\s*"([^"]+)"', block):
            dot = "" if apex == "." else "."
            (folder / file).write_text(f"$TTL 60\n@ SOA ns1.{apex}{dot} host.{apex}{dot} 1 60 60 60 60\n"
                                       f"@ NS ns1.elsewhere.test.\n")
        (folder / "steerd.toml").write_text(block)
        done = subprocess.run([steerd, "check", "-c", "steerd.toml"], cwd=folder,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, f"{document.name}:\n{block}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[1:]])
