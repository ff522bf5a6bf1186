"""All threads of a running server at once, in the ThreadSanitizer build: workers under UDP and TCP
load, probes whose targets come and go, reloads, state files, the end. A race ends the process with
a report and a status of its own."""
import os
import signal
import subprocess
import sys
import unittest

import steerd_test as t

CONFIG = """
[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
workers = 2
query_log = [{{ one_in = 50 }}]
[probes.web]
type = "http"
port = {port}
interval = "200ms"
timeout = "100ms"
fast_interval = "100ms"
fall = 2
rise = 1
[probes.exec]
type = "exec"
command = ["/bin/true"]
interval = "500ms"
[endpoints.one]
addresses = ["127.0.41.1"]
probes = ["web", "exec"]
[endpoints.two]
addresses = ["127.0.41.2"]
probes = ["web"]
[routes.weighted]
policy = "weighted"
members = ["one", "two"]
[routes.www]
policy = "failover"
members = ["weighted", "two"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = {{ route = "www", ttl = "10s", ttl_min = "1s" }}
"""


class Threads(unittest.TestCase):
    def test_load_flapping_reloads_and_the_end_without_a_race(self):
        env = {**os.environ, "TSAN_OPTIONS": "halt_on_error=1:exitcode=66"}
        with t.Sites(["127.0.41.1"]) as one, t.Sites(["127.0.41.2"], one.port):
            config = CONFIG.format(port=one.port)
            with t.Steerd(config, {"example.com.zone": t.zone_text(records="static A 192.0.2.1\n")},
                          env=env) as steerd:
                queries = steerd.folder / "queries"
                queries.write_text("www.example.com A\nstatic.example.com A\nnx.example.com A\n")
                loads = [subprocess.Popen(
                    ["dnsperf", "-m", mode, "-s", "127.0.0.1", "-p", str(steerd.port), "-d",
                     str(queries), "-l", "6", "-Q", "500", "-c", "4"],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                    for mode in ("udp", "tcp")]
                rounds = 0
                while any(load.poll() is None for load in loads):
                    rounds += 1
                    one.order("status 503" if rounds % 2 else "ok")
                    self.assertEqual(steerd.reload(), "reloaded")
                    self.assertTrue(steerd.addresses("www.example.com", tcp=rounds % 2 == 0))
                for load in loads:
                    self.assertIn("Queries completed", load.communicate()[0])
                print(f"{rounds} reloads", file=sys.stderr)
                self.assertGreater(rounds, 3)
                self.assertTrue([line for line in steerd.lines if " query client=" in line])
                self.assertEqual(steerd.stop(signal.SIGTERM, 20), 0)


if __name__ == "__main__":
    t.main()
