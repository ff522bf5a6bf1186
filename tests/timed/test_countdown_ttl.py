"""The countdown TTL on a live server: asked every 100 ms from the first failed check to the switch,
it falls second by second and never exceeds the time left, rounded up (but for ttl_min)."""
import math
import sys
import time
import unittest

import steerd_test as t

CONFIG = """
[server]
listen = ["127.0.0.1:0"]
workers = 1
[probes.web]
type = "http"
port = {port}
interval = "1s"
timeout = "500ms"
fast_interval = "1s"
fall = 5
[endpoints.one]
addresses = ["127.0.42.1"]
probes = ["web"]
[endpoints.two]
addresses = ["127.0.42.2"]
[routes.www]
policy = "failover"
members = ["one", "two"]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = {{ route = "www", ttl = "30s", ttl_min = "1s" }}
"fixed" = {{ route = "www", ttl = "30s" }}
"""


class Countdown(unittest.TestCase):
    def test_the_ttl_counts_down_to_the_switch(self):
        with t.Sites(["127.0.42.1"]) as site:
            with t.Steerd(CONFIG.format(port=site.port), {"example.com.zone": t.zone_text()}) as steerd:
                self.assertEqual(t.ttl_of(steerd.ask("www.example.com")), 30)
                site.order("status 503")
                samples = []
                deadline = time.monotonic() + 15
                while time.monotonic() < deadline:
                    asked = time.monotonic()
                    answer = steerd.ask("www.example.com")
                    if str(answer.answer[0][0]) == "127.0.42.2":
                        break
                    samples.append((asked, t.ttl_of(answer)))
                    self.assertEqual(t.ttl_of(steerd.ask("fixed.example.com")), 30)
                    time.sleep(0.1)
                switched = time.monotonic()
        counting = [(at, ttl) for at, ttl in samples if ttl < 30]
        print("TTLs seen:", [ttl for _, ttl in counting], file=sys.stderr)
        self.assertGreaterEqual(len(counting), 30)
        self.assertEqual({ttl for _, ttl in counting}, {1, 2, 3, 4})
        for (_, before), (_, after) in zip(counting, counting[1:]):
            self.assertLessEqual(after, before)
        for at, ttl in counting:
            self.assertLessEqual(ttl, max(1, math.ceil(switched - at)))


if __name__ == "__main__":
    t.main()
