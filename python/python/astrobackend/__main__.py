"""The command `astrobackend`: `python -m astrobackend` and the script of the same name run the whole of it."""

import sys

from ._native import main as run


def main() -> None:
    """Runs the command on the program's arguments and exits with its code."""
    sys.exit(run(["astrobackend", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
