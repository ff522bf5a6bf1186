"""An address that comes and goes, a link of 1280 octets: in network namespaces of the test's own, which need
root; without, the tests are skipped. A thread enters a namespace, and what it starts and opens is there."""
import ctypes
import functools
import os
import pathlib
import subprocess
import threading
import unittest

import dns.flags
import dns.message
import dns.query
import dns.rdatatype

import steerd_test as t

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
STATIC = '[zones."example.com"]\nfile = "example.com.zone"\n'
V4, V6 = "192.0.2.53", "2001:db8::53"
CLIENT_V4, CLIENT_V6 = "192.0.2.54", "2001:db8::54"


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=30)


def in_thread(enter, work):
    """What `work` returned or raised in a thread that called `enter` first."""
    result = {}

    def run():
        try:
            if enter() != 0:
                raise unittest.SkipTest("network namespace: " + os.strerror(ctypes.get_errno()))
            result["value"] = work()
        except BaseException as error:  # to be raised where it is waited for
            result["error"] = error

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(120)
    if "error" in result:
        raise result["error"]
    return result["value"]


def in_own_network(test):
    @functools.wraps(test)
    def run(self):
        def inside():
            ip("link", "set", "lo", "up")
            return test(self)
        in_thread(lambda: LIBC.unshare(CLONE_NEWNET), inside)
    return run


class AddressesThatComeLater(unittest.TestCase):
    @in_own_network
    def test_an_address_is_answered_as_soon_as_an_interface_has_it(self):
        zones = {"example.com.zone": t.zone_text(records="www A 192.0.2.77\n")}
        with t.Steerd(STATIC, zones, listen=f'["{V4}:5300", "[{V6}]:5300"]') as steerd:
            for address in (V4, V6):
                steerd.wait_for_log(rf"warning: no interface has {address} yet", 5)
            for _ in range(2):  # it comes, goes and comes
                ip("addr", "add", V4 + "/32", "dev", "lo")
                ip("addr", "add", V6 + "/128", "dev", "lo", "nodad")
                for address in (V4, V6):
                    for tcp in (False, True):
                        self.assertEqual(steerd.addresses("www.example.com", address=address, tcp=tcp),
                                         ["192.0.2.77"])
                ip("addr", "del", V4 + "/32", "dev", "lo")
                ip("addr", "del", V6 + "/128", "dev", "lo")


class SmallLinks(unittest.TestCase):
    def octets(self, name, address, tcp=False, payload=4096):
        """The answer to a TXT question and its size."""
        query = dns.message.make_query(name, "TXT", use_edns=0, payload=payload)
        query.flags &= ~dns.flags.RD
        ask = dns.query.tcp if tcp else dns.query.udp
        answer = ask(query, address, timeout=5, port=5300)
        return answer, len(answer.to_wire())

    def over_the_link(self, largest):
        """In the client's namespace: answers by size, over both families."""
        for address in (V4, V6):
            answer, size = self.octets("fits.example.com", address)
            self.assertEqual((answer.flags & dns.flags.TC, len(answer.answer)), (0, 1))
            self.assertGreater(size, 1200)
            self.assertLessEqual(size, 1232)
            answer, _ = self.octets("large.example.com", address)
            self.assertTrue(answer.flags & dns.flags.TC)
            self.assertEqual(answer.answer, [])
            answer, _ = self.octets("large.example.com", address, tcp=True)
            strings = answer.answer[0][0].strings
            self.assertEqual(sum(map(len, strings)), largest)

    @in_own_network
    def test_answers_over_udp_pass_1280_octets_whole_and_larger_ones_come_by_tcp(self):
        largest = 240 * 255
        text = lambda octets: " ".join('"' + "x" * min(255, octets - at) + '"' for at in range(0, octets, 255))
        zones = {"example.com.zone": t.zone_text(
            records=f"fits TXT {text(1155)}\nlarge TXT {text(largest)}\n")}
        holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo in; cat"], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        try:
            self.assertEqual(holder.stdout.readline(), b"in\n")
            ip("link", "add", "server", "mtu", "1280", "type", "veth", "peer", "name", "client", "mtu", "1280",
               "netns", str(holder.pid))
            ip("addr", "add", V4 + "/24", "dev", "server")
            ip("addr", "add", V6 + "/64", "dev", "server", "nodad")
            ip("link", "set", "server", "up")
            with t.Steerd(STATIC, zones, listen=f'["{V4}:5300", "[{V6}]:5300"]'):
                with open(f"/proc/{holder.pid}/ns/net") as other:
                    def client():
                        ip("addr", "add", CLIENT_V4 + "/24", "dev", "client")
                        ip("addr", "add", CLIENT_V6 + "/64", "dev", "client", "nodad")
                        ip("link", "set", "client", "up")
                        return self.over_the_link(largest)
                    in_thread(lambda: LIBC.setns(other.fileno(), CLONE_NEWNET), client)
            self.assertEqual(self.fragments(), (0, 0))
        finally:
            holder.communicate(timeout=10)
            holder.stdout.close()

    @staticmethod
    def fragments():
        """Packets that this namespace cut, IPv4 and IPv6. /proc/net is that of the first thread."""
        net = pathlib.Path("/proc/thread-self/net")
        names, values = [line.split() for line in (net / "snmp").read_text().splitlines()
                         if line.startswith("Ip:")]
        v6 = dict(line.split() for line in (net / "snmp6").read_text().splitlines())
        return int(values[names.index("FragCreates")]), int(v6["Ip6FragCreates"])


if __name__ == "__main__":
    t.main()
