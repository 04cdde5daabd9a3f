#!/usr/bin/env python3
"""Looks at simulated pictures with an independent star finder (sep, the library of SExtractor).

    star_finder.py stars CATALOGUE PICTURE FOCAL_LENGTH_MM ROTATION_DEG
        where the catalogue's stars are in the picture, against where its pointing puts them
    star_finder.py focus PICTURE ...
        the half-flux diameter of the stars of each picture

Prints JSON. The projection and the catalogue's format are written down a second time here, on purpose.
"""

import json
import sys

import numpy
import sep
from astropy.io import fits

TURN = 1 << 24


def catalogue(path):
    with open(path, "rb") as file:
        packed = numpy.frombuffer(file.read()[181 * 4 :], numpy.uint8).reshape(-1, 8).astype(numpy.int64)
    ra = (packed[:, 0] | packed[:, 1] << 8 | packed[:, 2] << 16) / TURN * 2 * numpy.pi
    dec = (packed[:, 3] | packed[:, 4] << 8 | packed[:, 5] << 16) / TURN * numpy.pi - numpy.pi / 2
    mag = ((packed[:, 6] | packed[:, 7] << 8) & 2047) / 100 - 2
    return ra, dec, mag


def gnomonic(ra, dec, ra0, dec0):
    """Tangential coordinates, radians towards east and north; nan behind the observer."""
    depth = numpy.sin(dec0) * numpy.sin(dec) + numpy.cos(dec0) * numpy.cos(dec) * numpy.cos(ra - ra0)
    depth = numpy.where(depth > 0.5, depth, numpy.nan)
    east = numpy.cos(dec) * numpy.sin(ra - ra0) / depth
    north = (numpy.cos(dec0) * numpy.sin(dec) - numpy.sin(dec0) * numpy.cos(dec) * numpy.cos(ra - ra0)) / depth
    return east, north


def found(picture):
    with fits.open(picture) as hdus:
        header, data = hdus[0].header, hdus[0].data.astype(numpy.float32)
    background = sep.Background(data)
    data -= background.back()
    objects = sep.extract(data, 8.0, err=background.rms(), minarea=5)
    return header, data, objects


def stars(path, picture, focal_length, rotation):
    header, data, objects = found(picture)
    ra, dec, mag = catalogue(path)
    bright = mag < 9.0
    east, north = gnomonic(
        ra[bright], dec[bright], numpy.radians(header["RA"]), numpy.radians(header["DEC"])
    )
    # Up in the picture lies at the position angle `rotation`; east is left of north; row 0 is the top.
    turn = numpy.radians(float(rotation))
    up = north * numpy.cos(turn) + east * numpy.sin(turn)
    left = east * numpy.cos(turn) - north * numpy.sin(turn)
    scale = float(focal_length) * 1000 / header["XPIXSZ"]
    # sep counts from the middle of the first pixel.
    x = (header["NAXIS1"] - 1) / 2 - left * scale
    y = (header["NAXIS2"] - 1) / 2 - up * scale
    margin = 20
    inside = (x > margin) & (x < header["NAXIS1"] - margin) & (y > margin) & (y < header["NAXIS2"] - margin)
    offsets = []
    for cx, cy in zip(x[inside], y[inside]):
        distance = numpy.hypot(objects["x"] - cx, objects["y"] - cy)
        offsets.append(float(distance.min()) if len(distance) else float("inf"))
    offsets = numpy.array(offsets)
    return {
        "catalogue_stars": len(offsets),
        "found_objects": len(objects),
        "within_a_pixel": int((offsets < 1.0).sum()),
        "median_offset": float(numpy.median(offsets)) if len(offsets) else None,
    }


def focus(pictures):
    diameters = []
    for picture in pictures:
        _, data, objects = found(picture)
        # The brightest that are not saturated.
        objects = objects[objects["peak"] < 40000]
        objects = objects[numpy.argsort(objects["flux"])[::-1][:60]]
        radius, _ = sep.flux_radius(
            data, objects["x"], objects["y"], numpy.full(len(objects), 60.0), 0.5, normflux=objects["flux"], subpix=5
        )
        diameters.append(float(2 * numpy.median(radius)))
    return {"half_flux_diameter": diameters}


if __name__ == "__main__":
    if len(sys.argv) == 6 and sys.argv[1] == "stars":
        print(json.dumps(stars(*sys.argv[2:])))
    elif len(sys.argv) > 2 and sys.argv[1] == "focus":
        print(json.dumps(focus(sys.argv[2:])))
    else:
        sys.exit(__doc__)
