#!/usr/bin/env python3
"""Makes geo/outline.inc, the coasts of the world as an SVG path, from Natural Earth's 1:110m coastline
(public domain), as Debian ships it.

    apt-get download r-cran-rnaturalearthdata && dpkg-deb -x r-cran-rnaturalearthdata_*.deb unpacked
    geo/model/outline.py unpacked

The package need not be installed; its data are R objects, of which this reads the one thing wanted:
matrices of longitude and latitude.
"""
import lzma
import pathlib
import struct
import sys

TOLERANCE = 0.45  # degrees that a coast may move
NORTH, SOUTH = 84, -60


def objects(packed):
    """R's lazy-load file: for each object its size, a letter, raw LZMA2."""
    while packed:
        reader = lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[
            {"id": lzma.FILTER_LZMA2, "preset": 6 | lzma.PRESET_EXTREME}])
        yield reader.decompress(packed[5:])
        packed = reader.unused_data


def lines(data):
    """Every vector of doubles with attributes that can be longitudes, then latitudes."""
    at = data.find(b"\0\0\x02\x0e")
    while at >= 0:
        count = struct.unpack(">i", data[at + 4:at + 8])[0]
        end = at + 8 + 8 * count
        if 6 <= count and count % 2 == 0 and end <= len(data):
            values = struct.unpack(f">{count}d", data[at + 8:end])
            points = list(zip(values[:count // 2], values[count // 2:]))
            if all(abs(x) <= 180.001 and abs(y) <= 90.001 for x, y in points):
                yield points
                at = data.find(b"\0\0\x02\x0e", end)
                continue
        at = data.find(b"\0\0\x02\x0e", at + 4)


def simplified(points):
    """Douglas and Peucker's, without recursion."""
    keep = {0, len(points) - 1}
    stack = [(0, len(points) - 1)]
    while stack:
        first, last = stack.pop()
        (ax, ay), (bx, by) = points[first], points[last]
        length = ((bx - ax) ** 2 + (by - ay) ** 2) ** 0.5
        worst, where = TOLERANCE, None
        for i in range(first + 1, last):
            x, y = points[i]
            apart = (abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / length if length > 1e-9
                     else ((x - ax) ** 2 + (y - ay) ** 2) ** 0.5)
            if apart > worst:
                worst, where = apart, i
        if where is not None:
            keep.add(where)
            stack += [(first, where), (where, last)]
    return [points[i] for i in sorted(keep)]


def path(points):
    """In tenths of a degree, y downwards."""
    where = [(round(x * 10), round(-y * 10)) for x, y in points]
    steps = [f"{bx - ax} {by - ay}".replace(" -", "-")
             for (ax, ay), (bx, by) in zip(where, where[1:]) if (ax, ay) != (bx, by)]
    return f"M{where[0][0]} {where[0][1]}l" + " ".join(steps) if len(steps) > 2 else ""


def main(folder):
    data = pathlib.Path(folder, "usr/lib/R/site-library/rnaturalearthdata/data/Rdata.rdb").read_bytes()
    coasts = next(objects(data))  # coastline110 comes first
    out = []
    for points in lines(coasts):
        part = []
        for point in points + [None]:
            if point is not None and SOUTH <= point[1] <= NORTH:
                part.append(point)
                continue
            if len(part) > 2:
                out.append(path(simplified(part)))
            part = []
    text = "".join(out)
    rows = [text[i:i + 96] for i in range(0, len(text), 96)]
    target = pathlib.Path(__file__).resolve().parent.parent / "outline.inc"
    target.write_text("// Made by geo/model/outline.py from Natural Earth (public domain).\n"
                      + "\n".join(f'"{row}"' for row in rows) + "\n", encoding="ascii")
    print(f"{len(out)} coasts, {len(text)} octets")


if __name__ == "__main__":
    main(sys.argv[1])
