#!/usr/bin/python3
"""What probing costs: CPU of the server for N endpoints at an interval, over http and https, and the
answers' latency meanwhile, side by side with a server that probes nothing.

usage: bench/probe_scale.py STEERD [--endpoints 10000] [--interval 10] [--seconds 20]

One nginx on a wildcard port stands for all endpoints (127.64.0.0/12). Loopback only; ends what it
starts. Needs nginx-light and openssl. Prints a table; figures are for this machine, the
ratios travel.
"""
import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

NGINX = """
daemon off; master_process off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/error.log;
worker_rlimit_nofile 65536;
events {{ worker_connections 20000; }}
http {{ access_log off; client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};
  uwsgi_temp_path {dir}; scgi_temp_path {dir};
  server {{ listen 0.0.0.0:{http} backlog=8192; location / {{ return 200 "ok"; }} }}
  server {{ listen 0.0.0.0:{https} ssl backlog=8192; ssl_certificate {dir}/cert.pem;
    ssl_certificate_key {dir}/key.pem; ssl_session_cache off; ssl_session_tickets off;
    location / {{ return 200 "ok"; }} }} }}
"""
ZONE = "$TTL 300\n@ SOA ns1 host 1 3600 900 86400 60\n@ NS ns1\nns1 A 192.0.2.53\n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def address(i):
    return f"127.{64 + i // 62500}.{i // 250 % 250}.{i % 250 + 1}"


def config(scheme, port, count, interval, ca):
    out = ['[server]\nlisten = ["127.0.0.1:0"]\nworkers = 1\nstate_dir = "state"\n']
    probes = ""
    if scheme != "none":
        probes = 'probes = ["web"]\n'
        out.append(f'[probes.web]\ntype = "{scheme}"\nport = {port}\nhost = "www.example.com"\n'
                   f'interval = "{interval}s"\n' + (f'ca_file = "{ca}"\n' if scheme == "https" else ""))
    for i in range(count):
        out.append(f'[endpoints.e{i}]\naddresses = ["{address(i)}"]\n{probes}')
    steer = []
    for r in range(0, count, 100):
        members = ", ".join(f'"e{i}"' for i in range(r, min(r + 100, count)))
        out.append(f'[routes.r{r}]\npolicy = "weighted"\nmembers = [{members}]\n')
        steer.append(f'"n{r}" = {{ route = "r{r}", ttl = "30s" }}\n')
    out.append('[zones."example.com"]\nfile = "zone"\n[zones."example.com".steer]\n')
    return "".join(out + steer)


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(steerd, scheme, port, args, folder):
    work = folder / scheme
    work.mkdir()
    (work / "zone").write_text(ZONE)
    (work / "steerd.toml").write_text(config(scheme, port, args.endpoints, args.interval,
                                             folder / "cert.pem"))
    log = open(work / "log", "w+")
    server = subprocess.Popen([steerd, "serve", "-c", str(work / "steerd.toml")], stderr=log)
    try:
        deadline = time.monotonic() + 60
        while " ready" not in (text := (work / "log").read_text()):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"steerd did not come up:\n{text[-2000:]}")
            time.sleep(0.05)
        dns_port = re.search(r"listening on 127\.0\.0\.1:(\d+)", text).group(1)
        time.sleep(2)  # the first round is over; let it settle
        before, started = cpu_seconds(server.pid), time.monotonic()
        time.sleep(args.seconds)
        idle = (cpu_seconds(server.pid) - before) / (time.monotonic() - started)
        p99, lost = ask(int(dns_port), args.endpoints)
        downs = (work / "log").read_text().count("-> down")
        return idle, p99, lost, downs
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)


def ask(port, endpoints, seconds=10, rate=2000):
    """One question after the other at `rate` a second: p99 of the round trips in ms, and the lost."""
    trips, lost = [], 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        s.settimeout(1)
        start = time.perf_counter()
        for i in range(seconds * rate):
            while time.perf_counter() < start + i / rate:
                time.sleep(0.0001)
            name = b"".join(bytes([len(l)]) + l for l in
                            (b"n%d" % (i * 100 % endpoints), b"example", b"com", b""))
            query = i.to_bytes(4, "big")[2:] + b"\0\0\0\1\0\0\0\0\0\0" + name + b"\0\1\0\1"
            sent = time.perf_counter()
            s.send(query)
            try:
                while s.recv(2048)[:2] != query[:2]:
                    pass
                trips.append(time.perf_counter() - sent)
            except TimeoutError:
                lost += 1
    trips.sort()
    return trips[len(trips) * 99 // 100] * 1e3, lost


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("steerd")
    parser.add_argument("--endpoints", type=int, default=10000)
    parser.add_argument("--interval", type=int, default=10)
    parser.add_argument("--seconds", type=int, default=20)
    args = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="probe-scale-"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-days", "2", "-subj", "/CN=www.example.com", "-addext",
                    "subjectAltName=DNS:www.example.com", "-keyout", str(folder / "key.pem"),
                    "-out", str(folder / "cert.pem")], check=True, capture_output=True)
    http, https = free_port(), free_port()
    (folder / "nginx.conf").write_text(NGINX.format(dir=folder, http=http, https=https))
    nginx = subprocess.Popen(["nginx", "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        checks = args.endpoints / args.interval
        print(f"{args.endpoints} endpoints every {args.interval} s: {checks:.0f} checks/s")
        print(f"{'probes':8} {'cores':>7} {'us/check':>9} {'p99 ms':>7} {'lost':>5} {'false downs':>11}")
        for scheme, port in (("none", 0), ("http", http), ("https", https)):
            cores, p99, lost, downs = run(args.steerd, scheme, port, args, folder)
            each = cores / checks * 1e6 if scheme != "none" else 0
            print(f"{scheme:8} {cores:7.3f} {each:9.1f} {p99:7.3f} {lost:5} {downs:11}", flush=True)
    finally:
        nginx.terminate()
        nginx.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
