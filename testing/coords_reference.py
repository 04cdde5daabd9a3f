#!/usr/bin/env python3
"""Writes the reference values that the coordinate tests compare with.

    python3 testing/coords_reference.py > crates/astrobackend/tests/data/coords_reference.csv

Needs pyerfa (the C library ERFA) and astropy. Both are independent of the Rust port that
astrobackend uses. Like astrobackend, everything is computed with UT1 = UTC, no polar
motion and no refraction. astropy goes its own way from the catalogue to the true equator
and equinox of date and to sidereal time; the script stops when the two disagree.
"""

import math
import random
import sys
import warnings
from datetime import datetime, timezone

import astropy
import erfa
import numpy as np
from astropy import units as u
from astropy.coordinates import ICRS, TETE, SkyCoord
from astropy.time import Time
from astropy.utils import iers

iers.conf.auto_download = False
iers.conf.iers_degraded_accuracy = "ignore"
warnings.simplefilter("ignore", erfa.ErfaWarning)  # years without announced leap seconds

MAS = math.radians(0.001 / 3600)
SITES = [  # latitude, longitude (east positive), elevation
    (90.0, 0.0, 0.0), (-90.0, 0.0, 2835.0), (0.0, 179.9999, 10.0), (0.0, -180.0, 0.0),
    (51.4769, 0.0, 46.0), (-30.2406, -70.7366, 2738.0), (28.7603, -17.8796, 2396.0),
    (19.8261, -155.4747, 4205.0), (-31.2733, 149.0644, 1165.0), (69.3, 16.0, -5.0),
]
PLACES = [  # right ascension in hours, declination in degrees
    (0.0, 0.0), (23.999999999, 0.0), (1e-9, -1e-9), (12.0, 0.0), (6.0, 90.0), (18.0, -90.0),
    (5.588139, -5.391111), (0.0, 89.999), (12.0, -89.999), (2.530301, 89.264109), (23.99999, 45.0),
]


def ut1(unix):
    """The Julian date of UT1 in two parts, with UT1 = UTC."""
    days, seconds = divmod(unix, 86400)
    return 2440587.5 + days, seconds / 86400


def quasi_utc(unix):
    """ERFA's own Julian date of UTC, whose days are longer when they hold a leap second."""
    moment = datetime.fromtimestamp(unix, timezone.utc)
    return erfa.dtf2d("UTC", moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second)


def row(site, unix, place):
    latitude, longitude, elevation = site
    utc = quasi_utc(unix)
    tai = erfa.utctai(*utc)
    tt = erfa.taitt(*tai)
    ra, dec = math.radians(place[0] * 15), math.radians(place[1])
    lon, lat = math.radians(longitude), math.radians(latitude)

    ri, di, eo = erfa.atci13(ra, dec, 0, 0, 0, 0, *tt)
    ra_date = erfa.anp(ri - eo)
    az, zd, *_ = erfa.atco13(ra, dec, 0, 0, 0, 0, *utc, 0, lon, lat, elevation, 0, 0, 0, 0, 0, 0.55)
    lst = erfa.anp(erfa.gst06a(*ut1(unix), *tt) + lon)
    ra1950, dec1950, _, _ = erfa.fk54z(ra, dec, 1950.0)
    mean = erfa.pmat06(erfa.DJ00, 50 * erfa.DJY) @ erfa.s2c(ra, dec)
    ra2050, dec2050 = erfa.c2s(mean)

    check_with_astropy(site, utc, place, ra_date, di, lst)
    hours, degrees = lambda a: math.degrees(erfa.anp(a)) / 15, math.degrees
    return [
        latitude, longitude, elevation, unix, *place,
        hours(ra_date), degrees(di), 90 - degrees(zd), degrees(az), hours(lst),
        degrees(erfa.anpm(lst - ra_date)) / 15,
        hours(ra1950), degrees(dec1950), hours(ra2050), degrees(dec2050),
    ]


def check_with_astropy(site, utc, place, ra_date, dec_date, lst):
    time = Time(*utc, format="jd", scale="utc")
    time.delta_ut1_utc = 0.0
    # Far enough away that its geocentric place has no parallax.
    apparent = SkyCoord(place[0] * 15 * u.deg, place[1] * u.deg, frame=ICRS).transform_to(TETE(obstime=time))
    off = erfa.seps(ra_date, dec_date, apparent.ra.rad, apparent.dec.rad)
    assert off < 5 * MAS, f"apparent place differs from astropy by {off / MAS:.2f} mas: {place} {utc}"
    sidereal = time.sidereal_time("apparent", site[1] * u.deg).rad
    off = abs(erfa.anpm(sidereal - lst))
    assert off < 1 * MAS, f"sidereal time differs from astropy by {off / MAS:.2f} mas"


def main():
    rng = random.Random(20000101)
    first, last = 631152000, 2524607999  # 1990 to 2049
    sites = SITES + [
        (round(math.degrees(math.asin(rng.uniform(-1, 1))), 6), round(rng.uniform(-180, 180), 6),
         round(rng.uniform(-300, 5000), 1)) for _ in range(30)
    ]
    places = PLACES + [
        (rng.uniform(0, 24), math.degrees(math.asin(rng.uniform(-1, 1)))) for _ in range(289)
    ]
    print(f"# pyerfa {erfa.__version__} (ERFA {erfa.version.erfa_version}), astropy {astropy.__version__},"
          f" numpy {np.__version__}; UT1 = UTC, no polar motion, no refraction")
    print("latitude,longitude,elevation,unix,ra_j2000,dec_j2000,ra_date,dec_date,alt,az,lst,ha,"
          "ra_b1950,dec_b1950,ra_j2050,dec_j2050")
    leap_day = 1483228800 - 3600  # an hour before the leap second of 2016
    for index, place in enumerate(places):
        moment = leap_day if index == 0 else rng.randint(first, last)
        values = row(sites[index % len(sites)], moment, place)
        print(",".join(f"{v:.12g}" if isinstance(v, float) else str(v) for v in values))


if __name__ == "__main__":
    sys.exit(main())
