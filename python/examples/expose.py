"""Point, focus, and take a picture: `python expose.py [ADDRESS]`, on the simulator unless an address is given."""

import sys

import astrobackend
from astrobackend import Equinox, RaDec


def main(address: str) -> None:
    with (
        astrobackend.open(address) as observatory,
        observatory.mount() as mount,
        observatory.focuser() as focuser,
        observatory.camera() as camera,
    ):
        mount.slew(RaDec(5.588, -5.391, Equinox.J2000))
        focuser.move_to(25_000)
        image = camera.expose(5, filter="Ha", object="M 42", on_progress=print)
        print(image, image.data.mean(), image.header["DATE-OBS"])
        image.to_fits("m42.fits", overwrite=True)
        image.to_png("m42.png", max_edge=1600, overwrite=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sim://")
