#!/usr/bin/python3
"""What a real city database costs: loading it for a latency route over five regions, and a forecast
that walks all of it (IPv4, and IPv6 by /48). Seconds on the clock and of the CPU, least of three
runs each, and peak memory. A walk is what a forecast takes longer than loading alone.

usage: bench/forecast_scale.py STEERD CITY.mmdb [MORE.mmdb ...]

Some makers ship IPv4 and IPv6 in two files: name both, else all of IPv6 is unknown.
"""
import json
import os
import pathlib
import sys
import tempfile
import time

RUNS = 3
REGIONS = {"tokyo": (35.68, 139.69), "virginia": (38.95, -77.45), "frankfurt": (50.11, 8.68),
           "sao-paulo": (-23.55, -46.63), "sydney": (-33.87, 151.21)}


def config(databases):
    files = ", ".join(json.dumps(str(pathlib.Path(d).resolve())) for d in databases)
    out = [f'[server]\nlisten = ["127.0.0.1:0"]\nstate_dir = "state"\n[geo]\ndatabases = [{files}]\n']
    for i, (name, (lat, lon)) in enumerate(REGIONS.items()):
        out.append(f'[regions.{name}]\nlocation = [{lat}, {lon}]\n[endpoints.{name}]\nregion = "{name}"\n'
                   f'addresses = ["192.0.2.{i + 1}", "2001:db8::{i + 1}"]\n')
    members = ", ".join(f'"{name}"' for name in REGIONS)
    out.append(f'[routes.www]\npolicy = "latency"\nmembers = [{members}]\n[zones."example.com"]\n'
               'file = "zone"\n[zones."example.com".steer]\n"www" = { route = "www", ttl = "60s" }\n')
    return "".join(out)


class Cost:
    """The least of several runs, and the most memory that any of them took."""

    def __init__(self):
        self.wall = self.cpu = float("inf")
        self.peak = 0

    def add(self, wall, used):
        self.wall = min(self.wall, wall)
        self.cpu = min(self.cpu, used.ru_utime + used.ru_stime)
        self.peak = max(self.peak, used.ru_maxrss / 1024)


def run(folder, *args):
    """Its cost, and what it printed."""
    out = folder / "out"
    words = [*args, "-c", str(folder / "steerd.toml")]
    cost = Cost()
    for _ in range(RUNS):
        begin = time.monotonic()
        with open(out, "wb") as into:
            child = os.posix_spawn(words[0], words, os.environ,
                                   file_actions=[(os.POSIX_SPAWN_DUP2, into.fileno(), 1)])
            _, status, used = os.wait4(child, 0)
        cost.add(time.monotonic() - begin, used)
        if status != 0:
            sys.exit(f"{' '.join(words)}: status {status}\n{out.read_text()}")
    return cost, out.read_text()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    steerd = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "steerd.toml").write_text(config(sys.argv[2:]))
        (folder / "zone").write_text("$TTL 300\n@ SOA ns1 host 1 3600 900 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n")
        load, _ = run(folder, steerd, "check")
        print(f"load: {load.wall:.2f} s ({load.cpu:.2f} s CPU), peak {load.peak:.0f} MiB")
        for kind in ("A", "AAAA"):
            whole, text = run(folder, steerd, "forecast", "--json", "--type", kind, "--name",
                              "www.example.com", "--down", "region:frankfurt")
            told = json.loads(text)
            print(f"forecast {kind}: {whole.wall:.2f} s ({whole.cpu:.2f} s CPU), peak {whole.peak:.0f} MiB; "
                  f"of it the walk of {told['prefixes']} prefixes {whole.cpu - load.cpu:.2f} s CPU")
            print("  before " + json.dumps({k: round(v, 4) for k, v in told["before"].items()}))
            print("  after  " + json.dumps({k: round(v, 4) for k, v in told["after"].items()}))


if __name__ == "__main__":
    main()
