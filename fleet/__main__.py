"""Lets `python -m fleet` be the command line."""

import sys

from fleet.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
