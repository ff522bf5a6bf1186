#!/usr/bin/python3
"""What a real city database costs: loading it for a latency route over five regions, and a forecast
that walks all of it. CPU seconds and peak memory.

usage: bench/forecast_scale.py STEERD CITY.mmdb [MORE.mmdb ...]
"""
import json
import os
import pathlib
import sys
import tempfile

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


def run(folder, *args):
    """CPU seconds, peak MiB, what it printed."""
    out = folder / "out"
    words = [*args, "-c", str(folder / "steerd.toml")]
    with open(out, "wb") as into:
        child = os.posix_spawn(words[0], words, os.environ,
                               file_actions=[(os.POSIX_SPAWN_DUP2, into.fileno(), 1)])
        _, status, used = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{' '.join(words)}: status {status}\n{out.read_text()}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, out.read_text()


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    steerd = sys.argv[1]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "steerd.toml").write_text(config(sys.argv[2:]))
        (folder / "zone").write_text("$TTL 300\n@ SOA ns1 host 1 3600 900 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n")
        load, peak, _ = run(folder, steerd, "check")
        print(f"load: {load:.2f} s, peak {peak:.0f} MiB")
        for kind in ("A", "AAAA"):
            whole, peak, text = run(folder, steerd, "forecast", "--json", "--type", kind, "--name",
                                    "www.example.com", "--down", "region:frankfurt")
            told = json.loads(text)
            print(f"forecast {kind}: walk {whole - load:.2f} s of {told['prefixes']} prefixes, peak {peak:.0f} MiB")
            print("  before " + json.dumps({k: round(v, 4) for k, v in told["before"].items()}))
            print("  after  " + json.dumps({k: round(v, 4) for k, v in told["after"].items()}))


if __name__ == "__main__":
    main()
