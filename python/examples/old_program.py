"""A program as they were written for pyastrobackend in 2020. `PYASTROBACKEND=SIM` runs it on the simulator."""

import sys
import time

from pyastrobackend.BackendConfig import get_backend, get_backend_for_os


def main() -> None:
    backend = get_backend(get_backend_for_os())
    if not backend.connect():
        sys.exit("cannot connect to the backend")
    names = backend.getDevicesByClass("camera")
    camera = backend.newCamera()
    if not camera.connect(names[0]):
        sys.exit(f"cannot connect to {names[0]}")
    camera.set_binning(2, 2)
    camera.start_exposure(2)
    while not camera.check_exposure():
        time.sleep(0.1)
    if not camera.check_exposure_success():
        sys.exit("the exposure failed")
    print(names[0], camera.get_size(), "saved:", camera.save_image_data("old.fits", overwrite=True))
    backend.disconnect()


if __name__ == "__main__":
    main()
