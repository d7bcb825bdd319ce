"""The engine process of one store: detached from every terminal, ended by nobody's log-out but the system's.

``python -m engine.serve --store DIR --ready DESCRIPTOR``, started by ``engine.starting``. It holds the store's lock for
its life, listens on the store's socket, and ends by itself when nothing is left to mine. SIGTERM and SIGINT stop what
is mined, so that it can be resumed; a second one does not wait for the images in flight. SIGHUP is no concern of its.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path


def main() -> None:
    """Leave the process that started us, then serve."""
    parser = argparse.ArgumentParser(prog="python -m engine.serve", description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument(
        "--ready", type=int, required=True, help="a pipe that takes one line: ready, or why not"
    )
    given = parser.parse_args()
    if os.fork() > 0:  # whoever started us waits for this, and has no child to care for
        os._exit(0)
    os.chdir("/")
    os.umask(0o077)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from engine.life import (
        live,
    )  # only now: its libraries start threads, and a process with threads must not fork

    sys.exit(live(given.store, given.ready))


if __name__ == "__main__":
    main()
