"""What the functional tests share: a steerd of their own on free ports, sites that break on order,
and questions. Nothing sleeps and hopes: wait_until() has a condition and a deadline."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

STEERD = os.environ["STEERD_BINARY"]
SOURCE = pathlib.Path(os.environ["STEERD_SOURCE_DIR"])
TESTS = SOURCE / "tests"

SOA = """$TTL 300
@ IN SOA ns1.{zone} hostmaster.{zone} 1 3600 900 86400 60
@ IN NS ns1.{zone}
ns1 IN A 192.0.2.53
"""


def zone_text(zone="example.com.", records=""):
    return SOA.format(zone=zone) + records


def wait_until(condition, seconds, what):
    """The condition's first true value; fails the test when it does not come in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


class Steerd:
    """A running `steerd serve` with its files in a folder of its own."""

    def __init__(self, config, zones=None, env=None, wait="ready", listen='["127.0.0.1:0"]'):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="steerd-test-"))
        self.listen = listen
        for name, text in (zones or {}).items():
            (self.folder / name).write_text(text)
        self.write_config(config)
        self.env = env
        self.lines = []
        self.process = None
        self.start(wait)

    def write_config(self, config):
        if "[server]" not in config:
            config = f'[server]\nlisten = {self.listen}\nstate_dir = "state"\nworkers = 2\n' + config
        (self.folder / "steerd.toml").write_text(config)

    def write(self, name, text):
        (self.folder / name).write_text(text)

    def start(self, wait="ready", prefix=()):
        self.lines = []
        self.process = subprocess.Popen(
            [*prefix, STEERD, "serve", "-c", str(self.folder / "steerd.toml")],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=self.env)
        self.reader = threading.Thread(target=self._read, args=(self.process, self.lines), daemon=True)
        self.reader.start()
        if wait:
            self.wait_for_log(wait, 30)
            self.port = int(self.wait_for_log(r"listening on .*:(\d+)", 5).group(1))

    @staticmethod
    def _read(process, lines):
        for line in process.stderr:
            lines.append(line.rstrip("\n"))

    def wait_for_log(self, pattern, seconds, after=0):
        def found():
            for line in self.lines[after:]:
                match = re.search(pattern, line)
                if match:
                    return match
            if self.process.poll() is not None:
                self.reader.join(5)
                for line in self.lines[after:]:
                    match = re.search(pattern, line)
                    if match:
                        return match
                raise AssertionError("steerd ended early:\n" + "\n".join(self.lines))
            return None
        try:
            return wait_until(found, seconds, f"log line {pattern!r}")
        except AssertionError as error:
            raise AssertionError(str(error) + "\n" + "\n".join(self.lines[-30:])) from None

    def reload(self, expect=r"reloaded|reload refused", seconds=30):
        mark = len(self.lines)
        self.process.send_signal(signal.SIGHUP)
        return self.wait_for_log(expect, seconds, mark).group(0)

    def stop(self, number=signal.SIGTERM, seconds=10):
        """The exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("steerd did not end in time") from None
        self.reader.join(5)
        self.process.stderr.close()
        return status

    def close(self):
        try:
            status = self.stop()
            complaints = [l for l in self.lines if "runtime error" in l or "Sanitizer" in l
                          or "CHECK failed" in l]
            if complaints or status not in (0, 1):
                raise AssertionError(f"status {status}\n" + "\n".join(self.lines[-60:]))
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, name, rdtype="A", subnet=None, tcp=False, address="127.0.0.1", edns=True,
            source=None, timeout=3, payload=1232, options=None):
        query = dns.message.make_query(name, rdtype, use_edns=0 if edns or subnet else -1,
                                       payload=payload, options=options)
        query.flags &= ~dns.flags.RD
        if subnet is not None:
            ip, length = subnet.split("/")
            query.use_edns(0, payload=payload,
                           options=[dns.edns.ECSOption(ip, int(length))] + (options or []))
        ask = dns.query.tcp if tcp else dns.query.udp
        return ask(query, address, timeout=timeout, port=self.port, source=source)

    def addresses(self, name, rdtype="A", **kwargs):
        """The addresses (or targets) of the answer, sorted."""
        response = self.ask(name, rdtype, **kwargs)
        return sorted(str(item) for rrset in response.answer for item in rrset
                      if rrset.rdtype == dns.rdatatype.from_text(rdtype))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def scope_of(response):
    for option in response.options:
        if isinstance(option, dns.edns.ECSOption):
            return option.scopelen
    return None


def ttl_of(response):
    return response.answer[0].ttl


class Sites:
    """A process with an HTTP site on each address (tests/sites.py)."""

    def __init__(self, addresses, port=0):
        self.addresses = addresses
        self.port = port
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["/usr/bin/python3", str(TESTS / "sites.py"), str(self.port), *self.addresses],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError("the test sites did not start")
        self.port = int(line)

    def order(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()


def run_steerd(*args, cwd=None, timeout=60):
    """A finished steerd command."""
    return subprocess.run([STEERD, *args], capture_output=True, text=True, cwd=cwd, timeout=timeout)


def main():
    unittest.main(argv=[sys.argv[0], *[a for a in sys.argv[1:]]])
