"""What is asked of whom: the kinds of work, their queries, and the contenders of each.

A work has contenders that are measured side by side in the same rounds. What one serves is its setup, in
words that are no server's own; `servers.py` says it in each server's language.
"""
import dataclasses
import random
import struct

ECHO = "echo"
PEERS = ("gdnsd", "knot", "nsd")
ALL = (ECHO, *PEERS, "steerd")
MANY = 1_000_000  # names of the large zone
QUERIES = 200_000
ANSWERING = ("--threads", "steerd-udp")  # told apart from those that probe


@dataclasses.dataclass(frozen=True)
class Setup:
    """kind: names, geo, weighted, nested, pool, members, zones. The rest as the kind needs it."""
    kind: str
    count: int = 0           # names, zones or steered names
    database: str = ""       # geo
    probed: bool = False     # pool: probes, countdown TTL, metrics
    endpoints: int = 0       # pool


@dataclasses.dataclass(frozen=True)
class Contender:
    label: str
    server: str
    setup: Setup
    queries: tuple           # (maker, its arguments)
    workers: int = 1
    cpus: str = "0"
    generator_cpus: str = "1"
    options: tuple = ()      # of the generator


@dataclasses.dataclass(frozen=True)
class Work:
    name: str
    title: str
    contenders: tuple
    base: str = "gdnsd"      # whom the others are set against, besides the echo


def wire_name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def query(name, edns=False, subnet=None):
    """For the generator's file: an A question, answer expected NOERROR with records."""
    options = b""
    if subnet is not None:
        options = struct.pack(">HHHBB", 8, 7, 1, 24, 0) + struct.pack(">I", subnet)[:3]
    opt = b"\0" + struct.pack(">HHIH", 41, 1232, 0, len(options)) + options
    extra = edns or subnet is not None
    packet = (struct.pack(">HHHHHH", 0, 0, 1, 0, 0, int(extra)) + wire_name(name)
              + struct.pack(">HH", 1, 1) + (opt if extra else b""))
    return struct.pack(">HBB", len(packet), 0, 1) + packet


def public_subnet(rng):
    """The first address of a /24 that is public unicast."""
    while True:
        subnet = rng.randrange(1 << 24, 224 << 24) & 0xFFFFFF00
        first, second = subnet >> 24, subnet >> 16 & 255
        if (first not in (10, 127) and (first, second) not in ((192, 168), (169, 254), (198, 18), (198, 19))
                and not (first == 172 and 16 <= second < 32) and not (first == 100 and 64 <= second < 128)):
            return subnet


def static(count, edns):
    rng = random.Random(1)
    return [query(f"h{rng.randrange(count):07}.bench.test", edns) for _ in range(QUERIES)]


def steered(count, with_subnet):
    rng = random.Random(2)
    return [query(f"n{rng.randrange(count):05}.steer.test", True, public_subnet(rng) if with_subnet else None)
            for _ in range(QUERIES)]


def in_zones(count):
    rng = random.Random(3)
    return [query(f"host{rng.randrange(10)}.z{rng.randrange(count):06}.test") for _ in range(QUERIES)]


MAKERS = {"static": static, "steered": steered, "in_zones": in_zones}


def of_all(setup, queries, servers=ALL, **more):
    return tuple(Contender(server, server, setup, queries, **more) for server in servers)


def works(databases):
    """All works in the order of the table; `databases`: {"geo": path or "", "city": path or ""}."""
    names = Setup("names", 10_000)
    plain, edns = ("static", 10_000, False), ("static", 10_000, True)
    hundred, subnets = ("steered", 100, False), ("steered", 100, True)
    echo = Contender(ECHO, ECHO, names, plain)
    weighted = Setup("weighted", 100)
    nested = Setup("nested", 100, databases["geo"])
    out = [
        Work("static", "10,000 names, A", of_all(names, plain)),
        Work("edns", "the same with EDNS", of_all(names, edns)),
        Work("geo", "country by client subnet", of_all(Setup("geo", 100, databases["geo"]), subnets)),
        Work("city", "the same with a city database", of_all(Setup("geo", 100, databases["city"]), subnets)),
        Work("weighted", "one of four by weight", of_all(weighted, hundred, (ECHO, "gdnsd", "knot", "steerd"))),
        Work("nested", "failover, latency, failover; health on; by client subnet",
             (*of_all(nested, subnets, (ECHO, "steerd")),
              Contender("gdnsd-weighted", "gdnsd", weighted, subnets)), "gdnsd-weighted"),
        Work("probed", "1,000 endpoints: probes, countdown TTL, metrics, or none of it",
             (Contender(ECHO, ECHO, names, hundred),
              Contender("steerd", "steerd", Setup("pool", 100, endpoints=1000), hundred, options=ANSWERING),
              Contender("steerd-probed", "steerd", Setup("pool", 100, endpoints=1000, probed=True), hundred,
                        options=ANSWERING)),
             "steerd"),
        Work("names", "1,000,000 names",
             (*of_all(Setup("names", MANY), ("static", MANY, False)),
              Contender("steerd-10k", "steerd", names, plain)), "steerd-10k"),
        Work("zones", "100,000 zones of 10 names",
             (echo, Contender("steerd", "steerd", Setup("zones", 100_000), ("in_zones", 100_000)),
              Contender("steerd-1-zone", "steerd", names, plain)), "steerd-1-zone"),
        Work("steered", "10,000 steered names over 1,000 endpoints",
             (Contender(ECHO, ECHO, names, hundred),
              Contender("steerd", "steerd", Setup("pool", 10_000, endpoints=1000), ("steered", 10_000, False)),
              Contender("steerd-100", "steerd", Setup("pool", 100, endpoints=1000), hundred)), "steerd-100"),
        Work("members", "weighted over 1, 10, 100, 1,000 members",
             (Contender(ECHO, ECHO, names, hundred),
              *(Contender(f"steerd-{n}", "steerd", Setup("members", 100, endpoints=n), hundred)
                for n in (1, 10, 100, 1000))), "steerd-1"),
        Work("tcp1", "TCP, 32 connections, one query at a time",
             of_all(names, plain, (*PEERS, "steerd"), options=("--tcp", "--sockets", "32", "--window", "1"))),
        Work("tcp16", "TCP, 16 connections, 16 queries at a time",
             of_all(names, plain, (*PEERS, "steerd"), options=("--tcp", "--sockets", "16", "--window", "16"))),
        Work("workers", "two workers on two cores that the generator shares, against one",
             tuple(Contender(f"steerd-{n}", "steerd", names, plain, workers=n, cpus="0,1",
                             generator_cpus="0,1", options=("--sockets", "32", "--window", "32"))
                   for n in (1, 2)), "steerd-1"),
    ]
    return out
