"""Pictures as astropy's objects; astropy is imported only when one is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.io.fits import HDUList, Header
    from astropy.nddata import CCDData

    from ._native import Image

STRUCTURE = {"SIMPLE", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "NAXIS3", "EXTEND", "BZERO", "BSCALE", "END"}
"""What follows from the array, and what astropy writes itself."""


def header(image: Image) -> Header:
    """The header without what follows from the array."""
    from astropy.io.fits import Header

    made = Header()
    for keyword, value, comment in image.cards:
        if keyword in ("COMMENT", "HISTORY", ""):
            made.add_history(comment) if keyword == "HISTORY" else made.add_comment(comment)
        elif keyword not in STRUCTURE:
            made[keyword] = (value, comment)
    return made


def hdulist(image: Image) -> HDUList:
    """A list of one HDU with a copy of the pixels, which the program may change."""
    import numpy
    from astropy.io.fits import HDUList, PrimaryHDU

    return HDUList([PrimaryHDU(numpy.array(image), header=header(image))])


def ccddata(image: Image) -> CCDData:
    """The pixels where they are, with header and unit."""
    from astropy.nddata import CCDData

    return CCDData(image.data, unit="adu", header=header(image))
