"""What a machine refuses: descriptors, memory, a steady clock. steerd stays up, says what is wrong, and
recovers by itself. In the release build, since sanitizers need descriptors and address space of their own."""
import os
import pathlib
import resource
import socket
import time
import unittest

import dns.edns
import dns.rcode

import admin_http
import steerd_test as t

ADMIN = '[admin]\nlisten = ["unix:state/admin.sock"]\n'
STATIC = '[zones."example.com"]\nfile = "example.com.zone"\n'
PROBED = """
[probes.web]
type = "http"
port = {port}
interval = "1s"
timeout = "500ms"
fast_interval = "200ms"
[endpoints.a]
addresses = ["127.0.4.1"]
probes = ["web"]
[endpoints.b]
addresses = ["192.0.2.2"]
[routes.www]
policy = "failover"
members = ["a", "b"]
""" + STATIC + """
[zones."example.com".steer]
"www" = {{ route = "www", ttl = "1s" }}
"""
ZONES = {"example.com.zone": t.zone_text(records="static A 192.0.2.77\n")}


def metric(admin, name):
    for line in admin.get("/metrics").text.splitlines():
        if line.startswith(name + " ") or line.startswith(name + "{"):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(name)


def logged(steerd, text):
    return [line for line in steerd.lines if text in line]


def large_zone(records):
    return t.zone_text(records="static A 192.0.2.78\n" + "".join(
        f'a-name-of-some-length-{i} TXT "{i} and text that takes its place in memory"\n' for i in range(records)))


class DescriptorsRunOut(unittest.TestCase):
    def setUp(self):
        self.clients = []
        self.sites = t.Sites(["127.0.4.1"])
        self.addCleanup(self.sites.__exit__)
        self.addCleanup(lambda: [c.close() for c in self.clients])

    def start(self, prefix=(), workers=2):
        server = f'[server]\nlisten = ["127.0.0.1:0"]\nstate_dir = "state"\nworkers = {workers}\n'
        steerd = t.Steerd(server + ADMIN + PROBED.format(port=self.sites.port), ZONES,
                          wait=None if prefix else "ready")
        self.addCleanup(steerd.close)
        if prefix:
            steerd.stop()
            steerd.start(prefix=prefix)
        self.steerd = steerd

    def www(self):
        return self.steerd.addresses("www.example.com")

    def connect(self, number, host=1):
        """Clients that connect and say nothing."""
        for _ in range(number):
            client = socket.socket()
            client.bind((f"127.0.{4 + host}.1", 0))
            client.settimeout(5)
            client.connect(("127.0.0.1", self.steerd.port))
            self.clients.append(client)

    def leave_free(self, number):
        """Takes all but so many descriptors away; returns what gives them back."""
        pid = self.steerd.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        taken = sorted(int(name) for name in os.listdir(f"/proc/{pid}/fd"))
        free = [fd for fd in range(taken[-1] + number + 2) if fd not in taken]
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (free[number], before[1]))
        return lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, before)

    def test_clients_cannot_take_the_descriptors_of_probes(self):
        self.start(["prlimit", "--nofile=128:128"])
        self.assertTrue(logged(self.steerd, "128 open files allow for"))
        self.assertEqual(self.www(), ["127.0.4.1"])
        for host in range(1, 5):
            self.connect(40, host)
        self.assertEqual(self.steerd.ask("static.example.com", tcp=True).answer[0][0].address, "192.0.2.77")
        self.sites.kill()
        t.wait_until(lambda: self.www() == ["192.0.2.2"], 15, "the dead endpoint is left")
        self.assertEqual(logged(self.steerd, "wait for a descriptor"), [])

    def test_it_goes_on_without_one_and_recovers(self):
        self.start()
        self.assertEqual(self.www(), ["127.0.4.1"])
        pid = self.steerd.process.pid
        give_back = self.leave_free(0)
        self.connect(20)
        self.steerd.wait_for_log("TCP connections wait for a descriptor.*LimitNOFILE", 10)
        # Nobody is there who could make room: it waits, and does not turn in a loop.
        cpu = lambda: sum(map(int, pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")")[1].split()[11:13]))
        before, begin = cpu(), time.monotonic()
        while time.monotonic() - begin < 1.5:
            self.assertEqual(self.steerd.addresses("static.example.com"), ["192.0.2.77"])
            time.sleep(0.05)
        self.assertLess((cpu() - before) / os.sysconf("SC_CLK_TCK"), 1.2, "it is busy with nothing")
        # A check that cannot be run says nothing about the endpoint.
        self.assertEqual(self.www(), ["127.0.4.1"])
        self.assertEqual(self.steerd.reload("reloaded$|reload refused"),
                         "reload refused", self.steerd.lines[-5:])
        self.assertTrue(logged(self.steerd, "Too many open files"))
        self.assertEqual(len(logged(self.steerd, "wait for a descriptor")), 1)
        give_back()
        answer = self.steerd.ask("static.example.com", tcp=True, timeout=10)
        self.assertEqual(answer.answer[0][0].address, "192.0.2.77")
        self.steerd.wait_for_log("TCP connections are accepted again", 20)
        self.assertEqual(self.steerd.reload(), "reloaded")
        self.sites.kill()
        t.wait_until(lambda: self.www() == ["192.0.2.2"], 15, "the dead endpoint is left")
        self.assertGreater(metric(admin_http.Admin(self.steerd), "steerd_tcp_no_descriptor_total"), 0)

    def test_idle_clients_make_room(self):
        self.start(workers=1)
        give_back = self.leave_free(6)
        self.connect(30)
        for _ in range(5):
            answer = self.steerd.ask("static.example.com", tcp=True, timeout=10)
            self.assertEqual(answer.answer[0][0].address, "192.0.2.77")
        self.steerd.wait_for_log("TCP connections wait for a descriptor", 10)
        give_back()


class MemoryIsRefused(unittest.TestCase):
    def limit(self, steerd, more):
        pid = steerd.process.pid
        size = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        before = resource.prlimit(pid, resource.RLIMIT_AS)
        resource.prlimit(pid, resource.RLIMIT_AS, (size + more, before[1]))
        return lambda: resource.prlimit(pid, resource.RLIMIT_AS, before)

    def test_a_reload_that_gets_none_leaves_everything_as_it_was(self):
        with t.Steerd(ADMIN + STATIC, ZONES) as steerd:
            address = lambda: steerd.addresses("static.example.com")
            lift = self.limit(steerd, 4 << 20)
            steerd.write("example.com.zone", large_zone(150000))
            self.assertIn(steerd.reload("reloaded.*|reload refused", 120), (
                "reloaded, but what is named above kept its last good copy", "reload refused"))
            self.assertTrue(logged(steerd, "no memory is left"), steerd.lines[-5:])
            self.assertEqual(address(), ["192.0.2.77"])
            self.assertEqual(metric(admin_http.Admin(steerd), "steerd_last_load_successful"), 0)
            lift()
            steerd.write("example.com.zone", large_zone(100))
            self.assertEqual(steerd.reload(), "reloaded")
            self.assertEqual(address(), ["192.0.2.78"])

    def test_a_start_that_gets_none_says_so(self):
        steerd = t.Steerd(STATIC, ZONES)
        with steerd:
            steerd.stop()
            steerd.write("example.com.zone", large_zone(400000))
            steerd.start(wait=None, prefix=["prlimit", f"--as={100 << 20}"])
            self.ends_with(steerd, "no memory is left")
            # Enough to load a small zone, but not for the stacks of so many threads.
            steerd.write("example.com.zone", ZONES["example.com.zone"])
            steerd.write_config('[server]\nlisten = ["127.0.0.1:0"]\nworkers = 128\n' + STATIC)
            steerd.start(wait=None, prefix=["prlimit", f"--as={600 << 20}"])
            self.ends_with(steerd, "error: cannot start: ")

    def ends_with(self, steerd, why):
        self.assertEqual(steerd.process.wait(60), 1)
        steerd.reader.join(5)
        steerd.process.stderr.close()
        self.assertEqual(len(logged(steerd, why)), 1, steerd.lines)


class ClockThatSteps(unittest.TestCase):
    """The wall clock is set while steerd runs (libfaketime): probes and TTLs go by steady time, while the
    ends of orders and the age of cookies are moments that people and RFC 9018 mean by the wall."""

    def setUp(self):
        libraries = list(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.assertTrue(libraries, "Debian's libfaketime is not here")
        self.sites = t.Sites(["127.0.4.1"])
        self.addCleanup(self.sites.__exit__)
        self.steerd = t.Steerd(ADMIN + PROBED.format(port=self.sites.port), ZONES, wait=None)
        self.steerd.stop()
        self.offset = self.steerd.folder / "offset"
        self.set_clock("+0")
        self.steerd.env = dict(os.environ, LD_PRELOAD=str(libraries[0]), FAKETIME_NO_CACHE="1",
                               FAKETIME_DONT_FAKE_MONOTONIC="1", FAKETIME_TIMESTAMP_FILE=str(self.offset))
        self.steerd.start()
        self.addCleanup(self.steerd.close)
        self.admin = admin_http.Admin(self.steerd)

    def set_clock(self, offset):
        new = self.offset.with_suffix(".new")
        new.write_text(offset + "\n")
        new.rename(self.offset)

    def www(self):
        return self.steerd.addresses("www.example.com")

    def order(self, *args):
        done = t.run_steerd(*args, cwd=self.steerd.folder)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def cookie(self, option):
        answer = self.steerd.ask("static.example.com", options=[dns.edns.GenericOption(10, option)])
        self.assertEqual(answer.rcode(), dns.rcode.NOERROR)
        self.assertEqual(answer.answer[0][0].address, "192.0.2.77")
        return next(o.data for o in answer.options if o.otype == 10)

    def probes_go_on(self):
        """A dead endpoint is left, and comes back."""
        self.assertEqual(self.www(), ["127.0.4.1"])
        self.sites.kill()
        t.wait_until(lambda: self.www() == ["192.0.2.2"], 15, "the dead endpoint is left")
        self.sites.start()
        t.wait_until(lambda: self.www() == ["127.0.4.1"], 15, "the living endpoint comes back")

    def test_forward(self):
        self.order("drain", "a", "--for", "1h")
        self.assertEqual(self.www(), ["192.0.2.2"])
        good = self.cookie(b"\1" * 8)
        self.assertEqual(self.cookie(good), good)
        self.set_clock("+2h")
        t.wait_until(lambda: self.www() == ["127.0.4.1"], 15, "the order is over")
        renewed = self.cookie(good)
        self.assertEqual(renewed[:8], good[:8])
        self.assertNotEqual(renewed, good)
        self.assertEqual(self.cookie(renewed), renewed)
        self.probes_go_on()

    def test_back(self):
        self.order("drain", "a", "--for", "1h")
        good = self.cookie(b"\1" * 8)
        self.set_clock("-1d")
        t.wait_until(lambda: self.cookie(good) != good, 15, "a cookie of the future is renewed")
        # The end of an order is a moment: a day is to go until then, and a release ends it at once.
        self.assertEqual(self.www(), ["192.0.2.2"])
        self.order("release", "a")
        self.probes_go_on()
        self.order("drain", "a", "--for", "1h")
        self.set_clock("-22h")
        t.wait_until(lambda: self.www() == ["127.0.4.1"], 15, "an order given meanwhile ends, too")

    def test_back_over_a_restart(self):
        self.order("drain", "a")
        self.steerd.stop()
        self.set_clock("-1d")
        self.steerd.start()
        self.assertEqual(self.www(), ["192.0.2.2"])
        self.order("release", "a")
        self.probes_go_on()


if __name__ == "__main__":
    t.main()
