#!/usr/bin/python3
"""Answers at full load while Prometheus would scrape /metrics each second, against the same server left
alone, and that against itself, which tells what the method is good for.

usage: bench/metrics_load.py --steerd BINARY [--rounds 9] [--seconds 1.0] [--json FILE]

Drives dnsperf (Debian's) over UDP on loopback against one steerd for each setting. A round measures every
setting once, in an order that changes, so that what else the machine does falls on all alike; the figure
is the median of the rounds' ratios to the server that is left alone. Loopback only.
"""
import argparse
import json
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

CONFIG = """[server]
listen = ["127.0.0.1:0"]
state_dir = "state"
{server}
[admin]
listen = ["127.0.0.1:0"]
[endpoints.tokyo]
addresses = ["192.0.2.1"]
[endpoints.osaka]
addresses = ["192.0.2.2"]
[routes.www]
policy = "weighted"
members = [{{ to = "tokyo", weight = 1 }}, {{ to = "osaka", weight = 1 }}]
[zones."example.com"]
file = "example.com.zone"
[zones."example.com".steer]
"www" = {{ route = "www", ttl = "60s" }}
"""
ZONE = """$TTL 300
@ SOA ns1 hostmaster 1 3600 900 86400 60
@ NS ns1
ns1 A 192.0.2.53
static A 192.0.2.9
"""
# name: lines of [server], scrapes a second
SETTINGS = {
    "alone": ("", 0),
    "alone again": ("", 0),
    "scraped each second": ("", 1),
}


class Server:
    def __init__(self, steerd, settings, scrapes):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="metrics-load-"))
        (self.folder / "steerd.toml").write_text(CONFIG.format(server=settings))
        (self.folder / "example.com.zone").write_text(ZONE)
        self.log = self.folder / "log"
        self.process = subprocess.Popen([steerd, "serve", "-c", self.folder / "steerd.toml"],
                                        stderr=self.log.open("w"))
        deadline = time.monotonic() + 20
        while " ready" not in self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(self.log.read_text())
            time.sleep(0.02)
        text = self.log.read_text()
        self.port = int(re.search(r"listening on \S*:(\d+)", text).group(1))
        self.admin = int(re.search(r"admin on \S*:(\d+)", text).group(1))
        self.scrapes = scrapes
        self.scraped = 0

    def scrape_until(self, end):
        while not end.is_set():
            with urllib.request.urlopen(f"http://127.0.0.1:{self.admin}/metrics", timeout=20) as response:
                response.read()
            self.scraped += 1
            end.wait(1 / self.scrapes)

    def rate(self, questions, seconds):
        """Answers a second under dnsperf."""
        end = threading.Event()
        scraper = threading.Thread(target=self.scrape_until, args=(end,), daemon=True)
        if self.scrapes:
            scraper.start()
        done = subprocess.run(["dnsperf", "-s", "127.0.0.1", "-p", str(self.port), "-d", str(questions),
                               "-l", str(seconds), "-c", "8", "-q", "400"],
                              capture_output=True, text=True, timeout=60 + 10 * seconds)
        end.set()
        if self.scrapes:
            scraper.join(20)
        found = re.search(r"Queries per second: +([\d.]+)", done.stdout)
        if not found:
            raise SystemExit(done.stdout + done.stderr)
        return float(found.group(1))

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steerd", required=True)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--json")
    args = parser.parse_args()
    questions = pathlib.Path(tempfile.mkstemp(prefix="questions-")[1])
    questions.write_text("".join(f"{name}.example.com A\n" for name in ("www", "static", "none")))
    servers = {}
    try:
        for name, setting in SETTINGS.items():
            servers[name] = Server(args.steerd, *setting)
        rates = {name: [] for name in servers}
        order = list(servers)
        for _ in range(args.rounds):
            for name in order:
                rates[name].append(servers[name].rate(questions, args.seconds))
            order = order[1:] + order[:1]
        scraped = {name: server.scraped for name, server in servers.items() if server.scrapes}
    finally:
        for server in servers.values():
            server.close()
        questions.unlink()
    out = {"rounds": args.rounds, "seconds": args.seconds, "rates": rates, "scrapes": scraped, "ratio": {}}
    for name, all_rates in rates.items():
        ratios = sorted(mine / alone for mine, alone in zip(all_rates, rates["alone"]))
        out["ratio"][name] = {"median": statistics.median(ratios), "least": ratios[0], "most": ratios[-1]}
        print(f"{name:22} {statistics.median(all_rates):10.0f} answers/s   {statistics.median(ratios):.3f} "
              f"of alone ({ratios[0]:.3f}..{ratios[-1]:.3f})")
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(out, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
