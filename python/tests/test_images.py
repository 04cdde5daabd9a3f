"""Pictures as arrays, as FITS, and as astropy has them."""

from __future__ import annotations

import gc
import pickle
from pathlib import Path

import astrobackend
import numpy
import pytest


@pytest.fixture(scope="module")
def image() -> astrobackend.Image:
    with astrobackend.open("sim://?speed=1000&sensor=generic") as observatory, observatory.camera() as camera:
        return camera.expose(2, object="M 31")


def test_the_array_is_the_picture_itself(image: astrobackend.Image) -> None:
    data = image.data
    assert data.shape == image.shape == (1024, 1280) and data.dtype == numpy.dtype(image.dtype) == numpy.uint16
    assert data.__array_interface__["data"][0] == image.__array_interface__["data"][0]
    assert data.flags.c_contiguous and not data.flags.owndata
    with pytest.raises(ValueError, match="read-only"):
        data[0, 0] = 1
    copy = numpy.array(image)
    copy[0, 0] += 1
    assert copy[0, 0] != image.data[0, 0]


def test_an_array_outlives_its_picture() -> None:
    with astrobackend.open("sim://?speed=1000&sensor=generic") as observatory, observatory.camera() as camera:
        image = camera.expose(1)
        data, expected = image.data, numpy.array(image)
        camera.expose(1)
    del image
    gc.collect()
    numpy.testing.assert_array_equal(data, expected)


def test_what_is_written_is_read_again(image: astrobackend.Image, tmp_path: Path) -> None:
    image.to_fits(tmp_path / "a.fits")
    again = astrobackend.Image.read(tmp_path / "a.fits")
    numpy.testing.assert_array_equal(again.data, image.data)
    assert again.header["OBJECT"] == "M 31" and again.exposure == image.exposure
    assert len(image.to_bytes()) == (tmp_path / "a.fits").stat().st_size
    numpy.testing.assert_array_equal(pickle.loads(pickle.dumps(image)).data, image.data)
    image.to_png(tmp_path / "a.png", max_edge=320)
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(astrobackend.Error):
        astrobackend.Image.from_bytes(b"no FITS file")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.fits", "a.png"]


def test_astropy_has_the_same(image: astrobackend.Image, tmp_path: Path) -> None:
    fits = pytest.importorskip("astropy.io.fits")
    image.to_fits(tmp_path / "a.fits")
    with fits.open(tmp_path / "a.fits") as file:
        [ours] = image.to_hdulist()
        numpy.testing.assert_array_equal(ours.data, file[0].data)
        ours.data[0, 0] = 7
        lost = [key for key in file[0].header if key not in ours.header]
        assert set(lost) <= {"EXTEND", "CHECKSUM", "DATASUM"}, lost
        for key in ("OBJECT", "EXPTIME", "DATE-OBS", "INSTRUME"):
            assert ours.header[key] == file[0].header[key] and ours.header.comments[key] == file[0].header.comments[key]
        ours.writeto(tmp_path / "b.fits")
    ccd = image.to_ccddata()
    assert str(ccd.unit) == "adu" and ccd.header["OBJECT"] == "M 31"
    assert numpy.shares_memory(ccd.data, image.data)


def test_colour_has_its_planes_in_front() -> None:
    fits = pytest.importorskip("astropy.io.fits")
    cube = numpy.arange(24, dtype=numpy.int16).reshape(3, 2, 4)
    picture = astrobackend.Image.from_bytes(_bytes_of(fits.PrimaryHDU(cube)))
    assert picture.planes == 3 and picture.shape == (3, 2, 4) and picture.dtype == "int16"
    numpy.testing.assert_array_equal(picture.data, cube)


def _bytes_of(hdu: object) -> bytes:
    import io

    file = io.BytesIO()
    hdu.writeto(file)  # type: ignore[attr-defined]
    return file.getvalue()


def test_a_picture_is_judged_and_listeners_hear_of_it() -> None:
    with astrobackend.open("sim://?speed=1000&sensor=generic&bits=8") as observatory, observatory.camera() as camera:
        events = observatory.events()
        good = camera.expose(20)
        assert (good.verdict, good.verdict_reason, good.exposure_number) == (astrobackend.Verdict.OK, None, 1)
        # Eight bits of the dark, without an offset: nothing at all.
        camera.set_control(astrobackend.Control.GAIN, 0)
        camera.set_control(astrobackend.Control.OFFSET, 0)
        dark = camera.expose(0.01, frame_type="dark")
        assert dark.verdict == astrobackend.Verdict.SUSPECT == "suspect" and dark.exposure_number == 2
        assert dark.verdict_reason is not None and dark.verdict_reason.startswith("all its pixels are 0")
        assert dark.header["FRAMEOK"] is False and dark.header["FRAMEMSG"] == f"suspect: {dark.verdict_reason}"
        told = [event for event in iter(lambda: events.next(0), None) if event.kind == astrobackend.EventKind.FRAME]
        assert [(event.exposure_number, event.verdict) for event in told] == [(1, "ok"), (2, "suspect")]
        assert told[1].verdict_reason == dark.verdict_reason
