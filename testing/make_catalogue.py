#!/usr/bin/env python3
"""Packs the stars of d3-celestial into the simulator's catalogue.

Usage: npm pack d3-celestial && tar xf d3-celestial-*.tgz
       testing/make_catalogue.py package/data/stars.14.json crates/astrobackend/src/backend/sim/stars.bin

The file begins with 181 numbers (u32, little endian): how many stars lie south of each whole degree of
declination, from -90 to +90. Then 8 bytes a star, little endian, band by band, in each by right ascension:
  3 bytes  right ascension, 2^24 to the circle
  3 bytes  declination from the south pole, 2^24 to the half circle
  2 bytes  (magnitude + 2) in hundredths, lower 11 bits; (B-V + 0.4) in tenths, upper 5 bits
"""

import json
import struct
import sys

TURN = 1 << 24


def star(feature):
    longitude, latitude = feature["geometry"]["coordinates"]
    properties = feature["properties"]
    colour = float(properties["bv"] or 0.6)
    ra = round(longitude % 360 / 360 * TURN) % TURN
    dec = min(round((latitude + 90) / 180 * TURN), TURN - 1)
    mag = min(max(round((properties["mag"] + 2) * 100), 0), 2047)
    bv = min(max(round((colour + 0.4) * 10), 0), 31)
    return dec * 180 // TURN, ra, dec, mag | bv << 11


def main(source, target):
    with open(source, encoding="utf-8") as file:
        stars = sorted(star(feature) for feature in json.load(file)["features"])
    with open(target, "wb") as file:
        for band in range(181):
            file.write(struct.pack("<I", sum(1 for s in stars if s[0] < band)))
        for _, ra, dec, light in stars:
            file.write(ra.to_bytes(3, "little") + dec.to_bytes(3, "little") + light.to_bytes(2, "little"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
