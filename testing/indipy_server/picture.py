"""What a camera of the observatory sees: the same stars each time, and noise."""

import random
import sys
from array import array

BIAS = 100


def star_field(width, height):
    """Counts per second, row by row: one bright star off the middle, and fainter ones."""
    dice = random.Random(1)
    field = [0.0] * (width * height)
    stars = [(width * 0.4, height * 0.55, 3000.0)]
    stars += [(dice.uniform(0, width), dice.uniform(0, height), 600 * dice.random() ** 2) for _ in range(150)]
    for x, y, peak in stars:
        for row in range(max(0, int(y) - 6), min(height, int(y) + 7)):
            for column in range(max(0, int(x) - 6), min(width, int(x) + 7)):
                field[row * width + column] += peak * 2 ** -(((column - x) ** 2 + (row - y) ** 2) / 4)
    return field


class Picture:
    """Takes pictures of one star field."""

    def __init__(self, width, height):
        self.width, self.stars = width, star_field(width, height)
        dice = random.Random(2)
        self.noise = [dice.gauss(0, 3) for _ in range(4099)]

    def take(self, frame, binning, light, serial):
        """A FITS file of a frame (x, y, width, height in sensor pixels); its first pixel is the serial number."""
        x, y, width, height = frame
        columns, rows = width // binning[0], height // binning[1]
        pixels = array("H")
        for row in range(rows):
            above = [y + row * binning[1] + n for n in range(binning[1])]
            lines = [self.stars[line * self.width + x : line * self.width + x + width] for line in above]
            sums = [sum(column) for column in zip(*lines)] if len(lines) > 1 else lines[0]
            if binning[0] > 1:
                sums = [sum(sums[n * binning[0] : (n + 1) * binning[0]]) for n in range(columns)]
            start = (serial * 7919 + row * 104729) % len(self.noise)
            noise = (self.noise[start:] + self.noise)[:columns]
            pixels.extend(min(65535, int(BIAS + light * s + n)) for s, n in zip(sums, noise))
        pixels[0] = serial
        return fits(columns, rows, pixels)


def fits(width, height, pixels):
    """With nothing in the header that need not be there."""
    cards = [
        "SIMPLE  =                    T",
        "BITPIX  =                   16",
        "NAXIS   =                    2",
        f"NAXIS1  = {width:>20}",
        f"NAXIS2  = {height:>20}",
        "BZERO   =                32768",
        "BSCALE  =                    1",
        "END",
    ]
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    signed = array("H", (pixel ^ 0x8000 for pixel in pixels))
    if sys.byteorder == "little":
        signed.byteswap()
    data = signed.tobytes()
    return header + data.ljust(-(-len(data) // 2880) * 2880, b"\0")
