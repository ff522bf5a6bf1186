"""Hot reload under load: dnsperf asks all the while, and loses nothing and gets no SERVFAIL."""
import re
import subprocess
import sys
import time
import unittest

import steerd_test as t

NAMES = 500
CONFIG = """
[endpoints.a]
addresses = ["192.0.2.1"]
[endpoints.b]
addresses = ["192.0.2.2"]
[routes.www]
policy = "weighted"
members = ["a", "b"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = { route = "www", ttl = "30s" }
"""


def zone(generation):
    return t.zone_text(records=f"generation TXT \"{generation}\"\n" +
                       "".join(f"n{i} A 192.0.2.{i % 250 + 1}\n" for i in range(NAMES)))


class ReloadUnderLoad(unittest.TestCase):
    def test_reloads_lose_no_query_and_cause_no_servfail(self):
        with t.Steerd(CONFIG, {"example.com.zone": zone(0)}) as steerd:
            queries = steerd.folder / "queries"
            queries.write_text("".join(f"n{i}.example.com A\n" for i in range(NAMES)) +
                               "www.example.com A\n" * 50)
            perf = subprocess.Popen(
                ["dnsperf", "-s", "127.0.0.1", "-p", str(steerd.port), "-d", str(queries),
                 "-l", "8", "-Q", "10000", "-c", "4", "-t", "2"],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            reloads = 0
            while perf.poll() is None:
                reloads += 1
                steerd.write("example.com.zone", zone(reloads))
                self.assertEqual(steerd.reload(), "reloaded")
                self.assertEqual(
                    steerd.ask("generation.example.com", "TXT").answer[0][0].strings[0].decode(),
                    str(reloads))
            out = perf.communicate()[0]
            lost = re.search(r"Queries lost:\s+(\d+)", out)
            sent = int(re.search(r"Queries sent:\s+(\d+)", out).group(1))
            print(f"{reloads} reloads, {sent} queries, {lost.group(1)} lost", file=sys.stderr)
            self.assertEqual(int(lost.group(1)), 0, out)
            self.assertNotIn("SERVFAIL", out)
            self.assertGreater(sent, 20000)
            self.assertGreater(reloads, 5)


if __name__ == "__main__":
    t.main()
