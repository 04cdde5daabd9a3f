"""Our FITS files against astropy, both ways; run by crates/astrobackend/tests/fits_peers.rs.

    fits_check.py check FOLDER   compares each NAME.fits with NAME.raw (pixels, little endian) and NAME.json
    fits_check.py make FOLDER    writes such triples with astropy, for our reader
"""

import json
import pathlib
import sys
import warnings

import numpy as np
from astropy.io import fits
from astropy.nddata import CCDData


def check(path):
    expected = json.loads(path.with_suffix(".json").read_text())
    raw = np.fromfile(path.with_suffix(".raw"), dtype=np.dtype(expected["dtype"]).newbyteorder("<"))
    with fits.open(path, checksum=True, memmap=False) as hdus:
        hdus.verify("exception")
        data, header = hdus[0].data, hdus[0].header
        assert data.dtype.newbyteorder("=") == np.dtype(expected["dtype"]), data.dtype
        assert list(data.shape) == expected["shape"], data.shape
        assert np.array_equal(data.ravel(), raw), "pixels differ"
        for keyword, value in expected["keywords"].items():
            assert header[keyword] == value, (keyword, header[keyword], value)
        for keyword in expected["absent"]:
            assert keyword not in header, keyword
    CCDData.read(path)


def make(folder):
    random = np.random.default_rng(7)

    def put(name, data, hdus, keywords):
        data.astype(data.dtype.newbyteorder("<")).tofile(folder / f"{name}.raw")
        sidecar = {"dtype": data.dtype.name, "shape": data.shape, "keywords": keywords, "absent": []}
        (folder / f"{name}.json").write_text(json.dumps(sidecar))
        fits.HDUList(hdus).writeto(folder / f"{name}.fits", checksum=True)

    keywords = {"OBJECT": "it's " + "a long text " * 12 + "&", "GAIN": 100, "EGAIN": 1.5e-7, "GOOD": True}
    for name in "uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64".split():
        shape = (3, 9, 5) if name == "uint16" else (9, 5)
        data = (random.random(shape) * 250).astype(name)
        put(name, data, [fits.PrimaryHDU(data, fits.Header(keywords))], keywords)
    data = np.arange(12, dtype="uint16").reshape(3, 4)
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=np.arange(1000))])
    put("extension", data, [fits.PrimaryHDU(header=fits.Header(keywords)), table, fits.ImageHDU(data)], keywords)
    hdu = fits.PrimaryHDU((np.arange(12.0) / 4).reshape(3, 4))
    hdu.scale("int16", bscale=0.25, bzero=1)
    put("scaled", (np.arange(12.0, dtype="float32") / 4).reshape(3, 4), [hdu], {})


def main():
    verb, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    warnings.simplefilter("error")
    if verb == "make":
        return make(folder)
    paths = sorted(folder.glob("*.fits"))
    for path in paths:
        try:
            check(path)
        except Exception as error:
            sys.exit(f"{path.name}: {error!r}")
    print(f"{len(paths)} files are equal")


main()
