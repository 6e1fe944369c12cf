"""Has a supervisor that is started with this directory on its path record what its judge is told.

Python imports a module of this name before anything else. Only a recording names the directory.
"""

import os
import sys

if "RECORD_SIGNS" in os.environ and "fleet.supervisor" in sys.orig_argv:
    from recorder import record  # type: ignore[import-not-found]

    record(os.environ["RECORD_SIGNS"])
