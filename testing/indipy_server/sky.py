"""Sidereal time and directions, to a few arcseconds."""

from math import asin, atan2, cos, degrees, radians, sin

# Degrees per second.
SIDEREAL = 15.041067 / 3600


def sidereal_time(utc, longitude):
    """Degrees, for seconds since 1970 and an eastern longitude."""
    days = utc / 86400 - 10957.5
    return (280.46061837 + 360.98564736629 * days + longitude) % 360


def signed(angle):
    return (angle + 180) % 360 - 180


def horizontal(hour_angle, dec, latitude):
    """Altitude, and azimuth from north over east; all in degrees."""
    h, d, p = radians(hour_angle), radians(dec), radians(latitude)
    altitude = asin(max(-1.0, min(1.0, sin(p) * sin(d) + cos(p) * cos(d) * cos(h))))
    azimuth = atan2(-cos(d) * sin(h), sin(d) * cos(p) - cos(d) * sin(p) * cos(h))
    return degrees(altitude), degrees(azimuth) % 360


def equatorial(altitude, azimuth, latitude):
    """Hour angle and declination; all in degrees."""
    a, z, p = radians(altitude), radians(azimuth), radians(latitude)
    dec = asin(max(-1.0, min(1.0, sin(p) * sin(a) + cos(p) * cos(a) * cos(z))))
    hour_angle = atan2(-cos(a) * sin(z), sin(a) * cos(p) - cos(a) * sin(p) * cos(z))
    return degrees(hour_angle), degrees(dec)
