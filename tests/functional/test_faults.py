"""What goes wrong around a server: a thread is held up, the network loses, delays, reorders and repeats. It stays up, says what is wrong, and recovers by itself. Faults that stand elsewhere:
of the disk, test_orders.py DisksThatFail; of addresses and links, test_faults_of_the_network.py; of
descriptors, memory and clocks, tests/timed/test_faults_of_the_machine.py."""
import asyncio
import ctypes
import os
import pathlib
import random
import socket
import threading
import time
import unittest

import dns.flags
import dns.message
import dns.query

import admin_http
import steerd_test as t

ADMIN = '[admin]\nlisten = ["unix:state/admin.sock"]\n'
STATIC = '[zones."example.com"]\nfile = "example.com.zone"\n'
ZONES = {"example.com.zone": t.zone_text(records="static A 192.0.2.77\n" + "".join(
    f"n{i} A 192.0.2.{i + 1}\n" for i in range(100)))}


def metric(admin, name):
    for line in admin.get("/metrics").text.splitlines():
        if line.startswith(name + " ") or line.startswith(name + "{"):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError(name)


def logged(steerd, text):
    return [line for line in steerd.lines if text in line]


SEIZE, INTERRUPT, DETACH, WAIT_ALL = 0x4206, 0x4207, 17, 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


class HeldUp:
    """One thread of another process stands still, as it would in an endless loop or on a dead disk. To be
    used and left by one thread (ptrace(2))."""

    def __init__(self, tid):
        self.tid = tid

    def __enter__(self):
        if LIBC.ptrace(SEIZE, self.tid, None, None) != 0:
            raise unittest.SkipTest("ptrace: " + os.strerror(ctypes.get_errno()))
        LIBC.ptrace(INTERRUPT, self.tid, None, None)
        os.waitpid(self.tid, WAIT_ALL)
        return self

    def __exit__(self, *exc):
        LIBC.ptrace(DETACH, self.tid, None, None)


class Manager:
    """The end of NOTIFY_SOCKET, with a watchdog of a second."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.name = f"steerd-test-faults-{os.getpid()}"
        self.socket.bind("\0" + self.name)
        self.env = dict(os.environ, NOTIFY_SOCKET="@" + self.name, WATCHDOG_USEC="1000000")
        self.fed = 0
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self):
        while (said := self.socket.recv(4096)) != b"END":
            self.fed += b"WATCHDOG=1" in said

    def close(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"END", "\0" + self.name)
        self.thread.join(5)
        self.socket.close()


def threads_named(pid, name):
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    return sorted(int(task.name) for task in tasks if (task / "comm").read_text().strip() == name)


class AThreadIsHeldUp(unittest.TestCase):
    def setUp(self):
        self.manager = Manager()
        self.addCleanup(self.manager.close)
        self.steerd = t.Steerd(ADMIN + STATIC, ZONES, env=self.manager.env)
        self.addCleanup(self.steerd.close)
        self.admin = admin_http.Admin(self.steerd)

    def unfed_while(self, what):
        """Holds that the watchdog was not fed while `what` ran, but for one that was under way."""
        before = self.manager.fed
        what()
        self.assertLessEqual(self.manager.fed, before + 1)

    def hold_up(self, name, kind, meanwhile):
        t.wait_until(lambda: self.manager.fed >= 2, 15, "the watchdog is fed")
        self.assertEqual(metric(self.admin, "steerd_stalled_threads"), 0)
        with HeldUp(threads_named(self.steerd.process.pid, name)[0]):
            self.unfed_while(lambda: self.steerd.wait_for_log(
                rf"error: the thread for {kind}.* has not moved for [\d.]+ s: its queries wait", 15))
            self.assertEqual(metric(self.admin, "steerd_stalled_threads"), 1)
            meanwhile()
        self.steerd.wait_for_log(rf"the thread for {kind}.* moves again after", 15)
        self.assertEqual(metric(self.admin, "steerd_stalled_threads"), 0)
        fed = self.manager.fed
        t.wait_until(lambda: self.manager.fed > fed, 15, "the watchdog is fed again")
        self.assertEqual(len(logged(self.steerd, "has not moved")), 1)

    def test_others_answer_for_udp_and_what_waited_is_answered(self):
        waiting = []
        self.addCleanup(lambda: [s.close() for s in waiting])
        question = dns.message.make_query("static.example.com", "A").to_wire()

        def ask_all():
            # The kernel spreads by the client's port: about half of them wait.
            for _ in range(40):
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.settimeout(10)
                s.connect(("127.0.0.1", self.steerd.port))
                s.send(question)
                waiting.append(s)
            answered = [s for s in waiting if self.comes_at_once(s)]
            self.assertGreater(len(answered), 0, "nobody else answers")
            self.assertLess(len(answered), 40, "the thread was not held up")
            for s in answered:
                waiting.remove(s)
                s.close()

        self.hold_up("steerd-udp", r"UDP on 127\.0\.0\.1", ask_all)
        for s in waiting:
            self.assertEqual(len(dns.message.from_wire(s.recv(4096)).answer), 1)

    @staticmethod
    def comes_at_once(s):
        s.settimeout(0.1)
        try:
            return len(s.recv(4096)) > 12
        except TimeoutError:
            return False
        finally:
            s.settimeout(10)

    def test_udp_goes_on_while_a_thread_for_tcp_stands(self):
        def ask():
            for i in range(100):
                self.assertEqual(self.steerd.addresses(f"n{i}.example.com"), [f"192.0.2.{i + 1}"])

        self.hold_up("steerd-tcp", "TCP", ask)
        for _ in range(8):
            self.assertEqual(self.steerd.addresses("static.example.com", tcp=True), ["192.0.2.77"])


class Relay:
    """Between a client and a server: loses, repeats, delays and so reorders datagrams; hands a stream on in
    small pieces, late. `lose`: asked for each datagram of either direction."""

    def __init__(self, target, seed=7, lose=None, repeat=0.1, delay=0.04, bind="127.0.0.1"):
        self.target, self.repeat, self.delay, self.bind = target, repeat, delay, bind
        self.chance = random.Random(seed)
        self.lose = lose or (lambda: self.chance.random() < 0.2)
        self.ready = threading.Event()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.lost = self.repeated = 0
        self.thread.start()
        assert self.ready.wait(10)

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.open())
        self.ready.set()
        self.loop.run_forever()
        self.server.close()
        for transport in self.opened:
            transport.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    async def open(self):
        self.server = await asyncio.start_server(self.stream, self.bind, 0)
        self.port = self.server.sockets[0].getsockname()[1]
        relay = self

        self.opened = []

        class Front(asyncio.DatagramProtocol):
            def __init__(self):
                self.backs = {}

            def connection_made(self, transport):
                self.transport = transport

            def datagram_received(self, data, client):
                relay.later(lambda: relay.loop.create_task(self.forward(data, client)))

            async def forward(self, data, client):
                if client not in self.backs:
                    back, _ = await relay.loop.create_datagram_endpoint(
                        lambda: Back(self, client), remote_addr=relay.target)
                    self.backs[client] = back
                    relay.opened.append(back)
                self.backs[client].sendto(data)

        class Back(asyncio.DatagramProtocol):
            def __init__(self, front, client):
                self.front, self.client = front, client

            def datagram_received(self, data, _):
                relay.later(lambda: self.front.transport.sendto(data, self.client))

        front, _ = await self.loop.create_datagram_endpoint(Front, local_addr=(self.bind, self.port))
        self.opened.append(front)

    def later(self, send):
        if self.lose():
            self.lost += 1
            return
        again = self.chance.random() < self.repeat
        self.repeated += again
        for _ in range(1 + again):
            self.loop.call_later(self.chance.random() * self.delay, send)

    async def stream(self, reader, writer):
        to_reader, to_writer = await asyncio.open_connection(*self.target)
        await asyncio.gather(self.pipe(reader, to_writer), self.pipe(to_reader, writer))
        to_writer.close()
        writer.close()

    async def pipe(self, reader, writer):
        try:
            while data := await reader.read(self.chance.randrange(1, 200)):
                await asyncio.sleep(self.chance.random() * self.delay / 10)
                writer.write(data)
                await writer.drain()
            writer.write_eof()
        except OSError:
            pass  # the other end is gone

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)


class ABadNetwork(unittest.TestCase):
    def test_a_client_that_retries_gets_every_answer(self):
        with t.Steerd(STATIC, ZONES) as steerd, Relay(("127.0.0.1", steerd.port)) as relay:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(0.1)
                s.connect(("127.0.0.1", relay.port))
                self.ask_until_all_are_answered(s)
            # What is taken for lost is asked again: some of it was only late, and answered twice.
            self.assertGreater(relay.lost, 10)
            self.assertGreater(relay.repeated, 5)

    def ask_until_all_are_answered(self, s):
        open_questions = {i: f"n{i}.example.com." for i in range(100)}  # by message id
        deadline = time.monotonic() + 20
        while open_questions and time.monotonic() < deadline:
            for number, name in open_questions.items():
                question = dns.message.make_query(name, "A", id=number)
                question.flags &= ~dns.flags.RD
                s.send(question.to_wire())
            try:
                while True:
                    answer = dns.message.from_wire(s.recv(4096))
                    name = f"n{answer.id}.example.com."
                    self.assertEqual(answer.question[0].name.to_text(), name)
                    self.assertEqual(answer.answer[0][0].address, f"192.0.2.{answer.id + 1}")
                    open_questions.pop(answer.id, None)
            except TimeoutError:
                pass
        self.assertEqual(open_questions, {})

    def test_a_stream_in_late_pieces(self):
        with t.Steerd(STATIC, ZONES) as steerd, Relay(("127.0.0.1", steerd.port)) as relay:
            with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as s:
                for i in range(100):
                    dns.query.send_tcp(s, dns.message.make_query(f"n{i}.example.com", "A", id=i))
                s.shutdown(socket.SHUT_WR)
                for i in range(100):
                    answer, _ = dns.query.receive_tcp(s, time.time() + 10)
                    self.assertEqual((answer.id, answer.answer[0][0].address), (i, f"192.0.2.{i + 1}"))

    def test_probes_do_not_flap_while_fewer_than_fall_in_a_row_are_lost(self):
        state = {"count": 0, "all": False}

        def lose():  # of three datagrams the first, question or answer: every other check or fewer fail
            state["count"] += 1
            return state["all"] or state["count"] % 3 == 1

        probed = """
[probes.dns]
type = "dns"
query = "static.example.com A"
port = {port}
interval = "300ms"
timeout = "200ms"
fast_interval = "200ms"
fall = 3
rise = 1
[endpoints.a]
addresses = ["127.0.0.1"]
probes = ["dns"]
[endpoints.b]
addresses = ["192.0.2.2"]
[routes.www]
policy = "failover"
members = ["a", "b"]
""" + STATIC + '[zones."example.com".steer]\n"www" = {{ route = "www", ttl = "1s" }}\n'
        with t.Steerd(STATIC, ZONES) as target, \
                Relay(("127.0.0.1", target.port), lose=lose, repeat=0, delay=0.01) as relay, \
                t.Steerd(ADMIN + probed.format(port=relay.port), ZONES) as steerd:
            admin = admin_http.Admin(steerd)
            www = lambda: steerd.addresses("www.example.com")
            t.wait_until(lambda: www() == ["127.0.0.1"], 15, "it is up")
            moved = metric(admin, "steerd_transitions_total")
            lost = relay.lost
            t.wait_until(lambda: relay.lost >= lost + 15, 30, "15 datagrams are lost")
            self.assertEqual(metric(admin, "steerd_transitions_total"), moved)
            self.assertEqual(www(), ["127.0.0.1"])
            state["all"] = True
            t.wait_until(lambda: www() == ["192.0.2.2"], 15, "it is down once all is lost")
            state["all"] = False
            t.wait_until(lambda: www() == ["127.0.0.1"], 15, "it is up again")


if __name__ == "__main__":
    t.main()
