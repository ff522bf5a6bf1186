#!/usr/bin/python3
"""What loading costs: time from start to ready, and resident memory, for a zone of N names, many
zones, and many steered names.

usage: bench/load_scale.py STEERD [--names 1000000] [--zones 100000] [--steered 10000] [--matches 20000]
"""
import argparse
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

HEAD = "$TTL 300\n@ SOA ns1 host 1 3600 900 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n"
SERVER = '[server]\nlisten = ["127.0.0.1:0"]\nworkers = 1\nstate_dir = "state"\n[geo]\ncountry_table = "none"\n'


def one_zone(folder, names):
    with open(folder / "zone", "w") as zone:
        zone.write(HEAD)
        for i in range(names):
            zone.write(f"host{i} A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n")
    return SERVER + '[zones."example.com"]\nfile = "zone"\n'


def many_zones(folder, zones):
    (folder / "zone").write_text(HEAD + "".join(f"host{i} A 192.0.2.{i}\n" for i in range(10)))
    return SERVER + "".join(f'[zones."z{i}.example"]\nfile = "zone"\n' for i in range(zones))


def many_steered(folder, names):
    (folder / "zone").write_text(HEAD)
    out = [SERVER, "[regions.a]\nlocation = [35.7, 139.7]\n[regions.b]\nlocation = [50.1, 8.7]\n"]
    for i in range(1000):
        out.append(f'[endpoints.e{i}]\nregion = "{"ab"[i % 2]}"\naddresses = ["10.0.{i >> 8}.{i & 255}"]\n')
    steer = []
    for i in range(names):
        out.append(f'[routes.r{i}]\npolicy = "latency"\nmembers = ["e{i % 1000}", "e{(i + 1) % 1000}"]\n')
        steer.append(f'"n{i}" = {{ route = "r{i}" }}\n')
    out.append('[zones."example.com"]\nfile = "zone"\n[zones."example.com".steer]\n')
    return "".join(out + steer)


def many_matches(folder, matches):
    (folder / "zone").write_text(HEAD)
    out = [SERVER] + [f'[endpoints.e{i}]\naddresses = ["10.9.0.{i}"]\n' for i in range(8)]
    members = ",\n".join(f'{{match="{1 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.0/24", to="e{i % 7}"}}'
                         for i in range(matches))
    out.append(f'[routes.r]\npolicy = "geo"\nmembers = [{members},\n{{match="*", to="e7"}}]\n')
    out.append('[zones."example.com"]\nfile = "zone"\n[zones."example.com".steer]\nwww = { route = "r" }\n')
    return "".join(out)


def run(steerd, make, count):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="load-scale-"))
    try:
        (folder / "steerd.toml").write_text(make(folder, count))
        started = time.monotonic()
        server = subprocess.Popen([steerd, "serve", "-c", str(folder / "steerd.toml")],
                                  stderr=subprocess.PIPE, text=True)
        for line in server.stderr:
            if line.endswith(" ready\n"):
                break
        seconds = time.monotonic() - started
        status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
        kib = {w.split(":")[0]: int(w.split()[1]) for w in status.splitlines() if w.startswith("Vm")}
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=20)
        return seconds, kib["VmRSS"] / 1024, kib["VmHWM"] / 1024
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("steerd")
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--zones", type=int, default=100_000)
    parser.add_argument("--steered", type=int, default=10_000)
    parser.add_argument("--matches", type=int, default=20_000)
    args = parser.parse_args()
    print(f"{'':34} {'ready s':>8} {'RSS MiB':>8} {'peak MiB':>9}")
    for title, make, count in ((f"one zone of {args.names} names", one_zone, args.names),
                               (f"{args.zones} zones of 10 names", many_zones, args.zones),
                               (f"{args.steered} steered names, 1000 sites", many_steered, args.steered),
                               (f"{args.matches} network matches, 8 sites", many_matches, args.matches)):
        seconds, rss, peak = run(args.steerd, make, count)
        print(f"{title:34} {seconds:8.2f} {rss:8.0f} {peak:9.0f}", flush=True)


if __name__ == "__main__":
    main()
