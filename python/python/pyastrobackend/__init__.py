"""The interface of the original pyastrobackend, on top of `astrobackend`: old programs run unchanged.

Nothing here raises for trouble with a device: a method answers False or None, and the reason is in the log
(logger `pyastrobackend`, quiet until the program sets logging up). New programs: see the package `astrobackend`.
"""

import logging

__version__ = "1.0.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())
