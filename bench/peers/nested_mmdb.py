#!/usr/bin/python3
"""A flat location database in MaxMind's nested layout, which gdnsd and Knot ask for (steerd reads either).

usage: bench/peers/nested_mmdb.py FLAT.mmdb NESTED.mmdb

Reads what the npm packages of the ip-location-db project hold ({country_code, city, latitude, ...}) and writes
continent/code, country/iso_code and, where there are coordinates, city, location and subdivisions. The tree stays
as it is, so both files answer alike for every address. Needs Debian's python3-maxminddb and python3-numpy.
"""
import pathlib
import re
import struct
import sys

import maxminddb
import numpy
from maxminddb.decoder import Decoder

SEPARATOR = 16
MARK = b"\xab\xcd\xefMaxMind.com"
DOUBLE, UINT16, UINT32, UINT64 = 3, 5, 6, 9


def continents():
    """From steerd's own table, so that all servers are told the same."""
    table = pathlib.Path(__file__).parents[2] / "geo/countries.cc"
    return dict(re.findall(r'^    \{"([A-Z]{2})", "([A-Z]{2})", \{', table.read_text(), re.MULTILINE))


def control(kind, size):
    first, extended = (kind << 5, b"") if kind < 8 else (0, bytes([kind - 7]))
    if size < 29:
        return bytes([first | size]) + extended
    if size < 285:
        return bytes([first | 29]) + extended + bytes([size - 29])
    return bytes([first | 30]) + extended + struct.pack("!H", size - 285)


def number(kind, value):
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return control(kind, len(octets)) + octets


class Data:
    """The data section: what was written before is pointed to."""

    def __init__(self, share=True):
        self.octets, self.seen, self.share = bytearray(), {}, share

    def place(self, encoded):
        if encoded not in self.seen:
            self.seen[encoded] = len(self.octets)
            self.octets += encoded
        return self.seen[encoded]

    def encoded(self, value):
        if isinstance(value, str):
            octets = value.encode()
            return control(2, len(octets)) + octets
        if isinstance(value, float):
            return control(DOUBLE, 8) + struct.pack("!d", value)
        if isinstance(value, bytes):
            return value
        if isinstance(value, list):
            return control(11, len(value)) + b"".join(map(self.member, value))
        return control(7, len(value)) + b"".join(self.member(k) + self.member(v) for k, v in value.items())

    def member(self, value):
        octets = self.encoded(value)
        if not self.share or len(octets) < 6:
            return octets
        return b"\x38" + struct.pack("!I", self.place(octets))


def nested(flat, continent_of):
    code = flat.get("country_code") or "ZZ"
    out = {"continent": {"code": continent_of.get(code, "NA")}, "country": {"iso_code": code}}
    if "latitude" in flat:
        out["city"] = {"names": {"en": flat.get("city") or ""}}
        out["location"] = {"latitude": float(flat["latitude"] or 0), "longitude": float(flat["longitude"] or 0)}
        if flat.get("state1"):
            out["subdivisions"] = [{"iso_code": flat["state1"][:3].upper(), "names": {"en": flat["state1"]}}]
    return out


def read_tree(octets, nodes, bits):
    """All left records, then all right ones."""
    b = numpy.frombuffer(octets, numpy.uint8, nodes * bits // 4).reshape(nodes, bits // 4).astype(numpy.uint32)
    if bits == 24:
        return numpy.concatenate([b[:, i] << 16 | b[:, i + 1] << 8 | b[:, i + 2] for i in (0, 3)])
    if bits == 28:
        low = [b[:, i] << 16 | b[:, i + 1] << 8 | b[:, i + 2] for i in (0, 4)]
        return numpy.concatenate([(b[:, 3] >> 4) << 24 | low[0], (b[:, 3] & 15) << 24 | low[1]])
    return numpy.concatenate([b[:, i] << 24 | b[:, i + 1] << 16 | b[:, i + 2] << 8 | b[:, i + 3] for i in (0, 4)])


def tree_of_28_bits(records, nodes):
    if records.max() >= 1 << 28:
        raise SystemExit("the data is too large for records of 28 bits")
    left, right = records[:nodes].astype(numpy.uint32), records[nodes:].astype(numpy.uint32)
    columns = [left >> 16, left >> 8, left, (left >> 24) << 4 | right >> 24, right >> 16, right >> 8, right]
    return (numpy.stack(columns, 1) & 255).astype(numpy.uint8).tobytes()


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    octets = pathlib.Path(sys.argv[1]).read_bytes()
    about = maxminddb.open_database(sys.argv[1]).metadata()
    nodes = about.node_count
    records = read_tree(octets, nodes, about.record_size)
    base = nodes * about.record_size // 4 + SEPARATOR
    decoder, data, continent_of = Decoder(octets, base), Data(), continents()
    old = numpy.unique(records[records > nodes])
    places, city = [], False
    for record in old:
        value = nested(decoder.decode(base + int(record) - nodes - SEPARATOR)[0], continent_of)
        city = city or "city" in value
        places.append(data.place(data.encoded(value)))
    fresh = records.astype(numpy.uint64)
    moved = numpy.array(places, numpy.uint64) + nodes + SEPARATOR
    fresh[records > nodes] = moved[numpy.searchsorted(old, records[records > nodes])]
    metadata = Data(share=False).encoded({
        "binary_format_major_version": number(UINT16, 2), "binary_format_minor_version": number(UINT16, 0),
        "build_epoch": number(UINT64, about.build_epoch), "languages": ["en"],
        "database_type": "GeoLite2-City" if city else "GeoLite2-Country",
        "description": {"en": "ip-location-db in the nested layout"}, "ip_version": number(UINT16, about.ip_version),
        "node_count": number(UINT32, nodes), "record_size": number(UINT16, 28)})
    pathlib.Path(sys.argv[2]).write_bytes(
        tree_of_28_bits(fresh, nodes) + b"\0" * SEPARATOR + data.octets + MARK + metadata)
    print(f"{sys.argv[2]}: {nodes} nodes, {len(old)} records")


if __name__ == "__main__":
    main()
