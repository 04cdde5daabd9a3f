"""Tile-compressed images of astropy, for our reader; run by crates/astrobackend/tests/fits_tiles.rs.

    fits_tiles.py FOLDER    writes NAME.fits with astropy and what astropy reads of it: NAME.raw (little endian)
                            and NAME.dtype
"""

import itertools
import pathlib
import sys

import numpy as np
from astropy.io import fits

folder = pathlib.Path(sys.argv[1])
random = np.random.default_rng(7)


def image(dtype, shape):
    """Noise on a slope, with the ends of the type in it."""
    kind = np.dtype(dtype)
    slope = np.arange(np.prod(shape)).reshape(shape) % 97 + random.normal(100, 3, shape)
    data = slope.astype(kind)
    if kind.kind in "iu" and data.size > 40:
        data.flat[:2] = np.iinfo(kind).min, np.iinfo(kind).max
        data.flat[-40:] = random.integers(np.iinfo(kind).min, np.iinfo(kind).max, 40, dtype=kind)
    if kind.kind == "f" and data.size > 40:
        data.flat[5:8] = 0
    return data


def put(name, data, **how):
    path = folder / f"{name}.fits"
    header = fits.Header({"OBJECT": "M 42", "GAIN": 100})
    fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(data, header, **how)]).writeto(path, checksum=True)
    with fits.open(path) as hdus:
        read = hdus[1].data
    if read.dtype.kind in "iu":
        assert np.array_equal(read, data), name
    read.astype(read.dtype.newbyteorder("<")).tofile(folder / f"{name}.raw")
    (folder / f"{name}.dtype").write_text(read.dtype.name)


integers = "uint8 int16 uint16 int32 uint32".split()
shapes = {"pixel": (1, 1), "line": (1, 1000), "odd": (23, 37), "large": (481, 640), "planes": (3, 9, 5)}
for kind, dtype, (name, shape) in itertools.product(["RICE_1", "GZIP_1", "GZIP_2"], integers, shapes.items()):
    put(f"{kind}-{dtype}-{name}", image(dtype, shape), compression_type=kind)
    if name == "large":
        put(f"{kind}-{dtype}-tiles", image(dtype, shape), compression_type=kind, tile_shape=(100, 77))
for kind, dtype in itertools.product(["GZIP_1", "GZIP_2"], ["float32", "float64"]):
    put(f"{kind}-{dtype}-lossless", image(dtype, (23, 37)), compression_type=kind, quantize_level=0)
for kind, dtype, method in itertools.product(["RICE_1", "GZIP_2"], ["float32", "float64"], [-1, 1, 2]):
    data = image(dtype, (231, 337))
    data[100, 50:60] = np.nan
    put(f"{kind}-{dtype}-rounded{method}", data, compression_type=kind, quantize_method=method, dither_seed=9990)
