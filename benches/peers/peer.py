"""What the Python peers of the INDI bench have in common: the measurement, printed as JSON."""

import json
import resource
import time

DEVICE = "Bench Camera"


class Measurement:
    """Seconds by the clock and of processor time since it was made."""

    def __init__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def print(self):
        """Prints what passed since, and the largest memory that this process ever took."""
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        print(json.dumps({"wall": wall, "cpu": cpu, "peak_rss": peak}), flush=True)
