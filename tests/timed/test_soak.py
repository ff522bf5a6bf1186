"""The soak's short form: load, outages, reloads and readers at once, and nothing lost. What grows over
time is for bench/soak.py --long."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import steerd_test as t


class Soak(unittest.TestCase):
    def test_twenty_seconds_of_everything_at_once(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder) / "soak.json"
            done = subprocess.run(["/usr/bin/python3", str(t.SOURCE / "bench/soak.py"), "--steerd", t.STEERD,
                                   "--seconds", "20", "--rate", "2000", "--json", str(file)],
                                  capture_output=True, text=True, timeout=300, env=dict(os.environ))
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            out = json.loads(file.read_text())
        print(f"{out['udp']['completed']} + {out['tcp']['completed']} answers, {out['reloads']} reloads, "
              f"{out['transitions']:.0f} transitions", file=sys.stderr)
        self.assertGreater(out["udp"]["completed"], 30000)
        self.assertGreater(out["tcp"]["completed"], 1000)
        self.assertGreaterEqual(out["reloads"], 2)
        self.assertGreaterEqual(out["transitions"], 8 + 2)
        self.assertGreater(len(out["series"]["rows"]), 10)


if __name__ == "__main__":
    t.main()
