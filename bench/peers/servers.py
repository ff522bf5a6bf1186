"""Each server's language: a setup to the files in a folder and the command that serves them.

Every server gets one worker thread (or as many as asked), minimal responses, no rate limit, no logging of
queries, and 127.0.0.1 at one port. A setup that a server has no way to say raises Cannot with the reason.
"""
import socket

CONTINENTS = ("AF", "AN", "AS", "EU", "NA", "OC", "SA")
SOA = "$TTL 300\n@ SOA ns1.{0} host.{0} {1} 3600 900 604800 300\n@ NS ns1.{0}\nns1.{0} A 192.0.2.53\n"


class Cannot(Exception):
    pass


def address(i):
    return f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}"


def site(i):
    """Where the i-th endpoint listens for probes."""
    return f"127.64.{i >> 8}.{i & 255}"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def write_names(path, count, serial=1):
    temporary = path.with_name(path.name + ".new")
    with open(temporary, "w") as zone:
        zone.write(SOA.format("bench.test.", serial))
        for i in range(count):
            zone.write(f"h{i:07} A {address(i)}\n")
    temporary.replace(path)


def zone_of_placeholders(path, count):
    path.write_text(SOA.format("steer.test.", 1) + "".join(f"n{i:05} A 192.0.2.99\n" for i in range(count)))


def need_database(setup):
    if not setup.database:
        raise Cannot("no database given")


def echo(folder, port, setup, workers, tools):
    return [str(tools / "echo"), str(port)]


def nsd(folder, port, setup, workers, tools):
    if setup.kind != "names":
        raise Cannot("serves no " + setup.kind)
    write_names(folder / "bench.test", setup.count)
    (folder / "nsd.conf").write_text(f"""server:
  server-count: {workers}
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  zonelistfile: "{folder}/zone.list"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  minimal-responses: yes
  rrl-ratelimit: 0
  tcp-count: 200
remote-control:
  control-enable: no
zone:
  name: bench.test
  zonefile: bench.test
""")
    return ["nsd", "-d", "-c", str(folder / "nsd.conf")]


def knot(folder, port, setup, workers, tools):
    module, apex = "", "bench.test"
    if setup.kind == "names":
        write_names(folder / "zone", setup.count)
    elif setup.kind in ("geo", "weighted"):
        apex = "steer.test"
        zone_of_placeholders(folder / "zone", setup.count)
        choices = ([f"  - geo: \"{c}\"\n    A: 192.0.2.{i + 1}\n" for i, c in enumerate(CONTINENTS)]
                   if setup.kind == "geo" else
                   [f"  - weight: {i}0\n    A: 192.0.2.{i}\n" for i in (1, 2, 3, 4)])
        (folder / "steer.conf").write_text("".join(
            f"n{i:05}.steer.test:\n" + "".join(choices) for i in range(setup.count)))
        mode = "weighted"
        if setup.kind == "geo":
            need_database(setup)
            mode = f"geodb\n    geodb-file: \"{setup.database}\"\n    geodb-key: [ continent/code ]"
        module = (f"mod-geoip:\n  - id: m\n    config-file: \"{folder}/steer.conf\"\n    ttl: 300\n"
                  f"    mode: {mode}\n")
    else:
        raise Cannot("serves no " + setup.kind)
    (folder / "knot.conf").write_text(f"""server:
  rundir: "{folder}"
  listen: 127.0.0.1@{port}
  udp-workers: {workers}
  tcp-workers: {workers}
  background-workers: 1
  edns-client-subnet: on
database:
  storage: "{folder}"
log:
  - target: stderr
    any: error
{module}zone:
  - domain: {apex}
    file: "{folder}/zone"
    zonefile-sync: -1
    journal-content: none
""" + ("    module: mod-geoip/m\n" if module else ""))
    return ["knotd", "-c", str(folder / "knot.conf")]


def gdnsd(folder, port, setup, workers, tools):
    for name in ("zones", "run", "state", "geoip"):
        (folder / name).mkdir()
    plugins = ""
    if setup.kind == "names":
        write_names(folder / "zones/bench.test", setup.count)
    elif setup.kind == "weighted":
        sites = ", ".join(f"s{i} => [192.0.2.{i}, {i}0]" for i in (1, 2, 3, 4))
        plugins = f"plugins => {{ weighted => {{ r => {{ {sites} }} }} }}\n"
    elif setup.kind == "geo":
        need_database(setup)
        centers = ", ".join(c.lower() for c in CONTINENTS)
        where = " ".join(f"{c} => [{c.lower()}]," for c in CONTINENTS)
        what = " ".join(f"{c.lower()} => 192.0.2.{i + 1}," for i, c in enumerate(CONTINENTS))
        plugins = (f"plugins => {{ geoip => {{\n maps => {{ m => {{ geoip2_db => \"{setup.database}\", "
                   f"datacenters => [{centers}], map => {{ {where} default => [na] }} }} }}\n"
                   f" resources => {{ r => {{ map => m, dcmap => {{ {what} }} }} }}\n}} }}\n")
    else:
        raise Cannot("serves no " + setup.kind)
    if plugins:
        plugin = "geoip" if setup.kind == "geo" else "weighted"
        (folder / "zones/steer.test").write_text(SOA.format("steer.test.", 1) + "".join(
            f"n{i:05} 300 DYNA {plugin}!r\n" for i in range(setup.count)))
    (folder / "config").write_text(
        f"options => {{ listen => 127.0.0.1, dns_port => {port}, udp_threads => {workers}, "
        f"tcp_threads => {workers}, run_dir => \"{folder}/run\", state_dir => \"{folder}/state\" }}\n" + plugins)
    return ["gdnsd", "-c", str(folder), "start"]


def endpoint(i, where, extra=""):
    return f"[endpoints.e{i}]\naddresses = [\"{where}\"]\n{extra}"


def steer_table(folder, count, route_of, ttl):
    (folder / "steer.test").write_text(SOA.format("steer.test.", 1))
    return "[zones.\"steer.test\"]\nfile = \"steer.test\"\n[zones.\"steer.test\".steer]\n" + "".join(
        f"n{i:05} = {{ route = \"{route_of(i)}\", {ttl} }}\n" for i in range(count))


def steerd_geo(folder, setup):
    geo = f"[geo]\ndatabases = [\"{setup.database}\"]\n" if setup.database else "".join(
        f"[[geo.networks]]\nprefix = \"{first}.{second}.0.0/12\"\ncontinent = \"{CONTINENTS[(first + second) % 7]}\"\n"
        for first in range(1, 224) for second in range(0, 256, 16))
    members = ", ".join(f"{{ match = \"continent:{c}\", to = \"e{i}\" }}" for i, c in enumerate(CONTINENTS))
    return (geo + "".join(endpoint(i, f"192.0.2.{i + 1}") for i in range(7))
            + f"[routes.r]\npolicy = \"geo\"\nmembers = [{members}, {{ match = \"*\", to = \"e4\" }}]\n"
            + steer_table(folder, setup.count, lambda i: "r", 'ttl = "300s"'))


def steerd_weighted(folder, setup):
    members = ", ".join(f"{{ to = \"e{i}\", weight = {i}0 }}" for i in (1, 2, 3, 4))
    return ("".join(endpoint(i, f"192.0.2.{i}") for i in (1, 2, 3, 4))
            + f"[routes.r]\npolicy = \"weighted\"\nmembers = [{members}]\n"
            + steer_table(folder, setup.count, lambda i: "r", 'ttl = "300s"'))


def probe(probe_port):
    return f"[probes.web]\ntype = \"http\"\nport = {probe_port}\n"


def steerd_nested(folder, setup, probe_port):
    regions = (("tokyo", 35.68, 139.69), ("frankfurt", 50.11, 8.68), ("virginia", 38.95, -77.45))
    out = [f"[geo]\ndatabases = [\"{setup.database}\"]\n" if setup.database else "", probe(probe_port)]
    out += [f"[regions.{name}]\nlocation = [{lat}, {lon}]\n" for name, lat, lon in regions]
    out += [endpoint(i, site(i), f"probes = [\"web\"]\nregion = \"{regions[i % 3][0]}\"\n") for i in range(7)]
    out += [f"[routes.{name}]\npolicy = \"failover\"\nmembers = [\"e{i}\", \"e{i + 3}\"]\n"
            for i, (name, _, _) in enumerate(regions)]
    out.append('[routes.near]\npolicy = "latency"\nmembers = ["tokyo", "frankfurt", "virginia"]\n'
               '[routes.r]\npolicy = "failover"\nmembers = ["near", "e6"]\n')
    return "".join(out) + steer_table(folder, setup.count, lambda i: "r", 'ttl = "60s", ttl_min = "5s"')


def steerd_pool(folder, setup, probe_port):
    """So many endpoints, ten of them under each of the routes, all routes used alike."""
    n = setup.endpoints
    out = [probe(probe_port) if setup.probed else ""]
    out += [endpoint(i, site(i), "probes = [\"web\"]\n" if setup.probed else "") for i in range(n)]
    for r in range(n // 10):
        members = ", ".join(f"\"e{i}\"" for i in range(r * 10, r * 10 + 10))
        out.append(f"[routes.r{r}]\npolicy = \"weighted\"\nmembers = [{members}]\n")
    ttl = 'ttl = "60s", ttl_min = "5s"' if setup.probed else 'ttl = "60s"'
    return "".join(out) + steer_table(folder, setup.count, lambda i: f"r{i % (n // 10)}", ttl)


def steerd_members(folder, setup):
    members = ", ".join(f"\"e{i}\"" for i in range(setup.endpoints))
    return ("".join(endpoint(i, site(i)) for i in range(setup.endpoints))
            + f"[routes.r]\npolicy = \"weighted\"\nmembers = [{members}]\n"
            + steer_table(folder, setup.count, lambda i: "r", 'ttl = "60s"'))


def steerd_zones(folder, setup):
    # Names relative to whatever zone it is; one file stands for all of them.
    (folder / "zone").write_text("$TTL 300\n@ SOA ns1 host 1 3600 900 604800 300\n@ NS ns1\nns1 A 192.0.2.53\n"
                                 + "".join(f"host{i} A 192.0.2.{i}\n" for i in range(10)))
    return "".join(f"[zones.\"z{i:06}.test\"]\nfile = \"zone\"\n" for i in range(setup.count))


def steerd(folder, port, setup, workers, tools, probe_port=0, admin_port=0):
    uses_geo = setup.kind in ("geo", "nested") and (setup.database or setup.kind == "nested")
    head = f"[server]\nlisten = [\"127.0.0.1:{port}\"]\nworkers = {workers}\nstate_dir = \"state\"\n"
    if admin_port:
        head += f"[admin]\nlisten = [\"127.0.0.1:{admin_port}\"]\n"
    if setup.kind == "names":
        write_names(folder / "bench.test", setup.count)
        body = "[zones.\"bench.test\"]\nfile = \"bench.test\"\n"
    elif setup.kind == "nested":
        body = steerd_nested(folder, setup, probe_port)
    elif setup.kind == "pool":
        body = steerd_pool(folder, setup, probe_port)
    else:
        body = {"geo": steerd_geo, "weighted": steerd_weighted, "members": steerd_members,
                "zones": steerd_zones}[setup.kind](folder, setup)
    if not uses_geo and "[geo]" not in body:
        body = "[geo]\ncountry_table = \"none\"\n" + body
    (folder / "steerd.toml").write_text(head + body)
    return [str(tools / "steerd"), "serve", "-c", str(folder / "steerd.toml")]


def before(folder, port, setup, workers, tools, **more):
    """The same server as it was built earlier, to tell what a change gives."""
    return [str(tools / "before"), *steerd(folder, port, setup, workers, tools, **more)[1:]]


SERVERS = {"echo": echo, "nsd": nsd, "knot": knot, "gdnsd": gdnsd, "steerd": steerd, "before": before}
OURS = ("steerd", "before")
