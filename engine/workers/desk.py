"""The frame of every worker process: requests in on stdin, replies out on a private copy of stdout.

File descriptor 1 is pointed at stderr before any model library is imported, so that nothing a library prints
can corrupt a frame. End-of-file on stdin means that the engine is gone: the process leaves at once, whatever
it is doing. An unforeseen exception ends the process with its traceback on stderr; the engine starts another.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import BinaryIO

from engine.errors import MineGapError
from engine.workers import frames
from engine.workers.messages import EmbedTexts, Fault, Reply, Request

Handler = Callable[[Request], None]


class Desk:
    """One worker's mail: a reader thread fills a queue, the main thread works it off, any thread replies."""

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # private copies: the interpreter's own sys.stdin must not be locked by a thread when it ends
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        self._lock = threading.Lock()
        # texts are quick and a candidate waits for them: they pass in front of image batches
        self._mail: queue.PriorityQueue[tuple[bool, int, Request]] = queue.PriorityQueue()
        threading.excepthook = _leave

    def reply(self, message: Reply) -> None:
        """Send one reply; whole frames only, from whichever thread."""
        frame = memoryview(frames.pack(message))
        with self._lock:
            while frame:
                frame = frame[self._out.write(frame) :]

    def work(self, handle: Handler) -> None:
        """Hand every request to ``handle`` until the engine closes the pipe; never returns normally.

        A ``MineGapError`` becomes a ``Fault`` reply; anything else ends the process.
        """
        threading.Thread(target=self._read, name="mail", daemon=True).start()
        while True:
            _, _, request = self._mail.get()
            try:
                handle(request)
            except MineGapError as error:
                self.reply(Fault(id=request.id, sentence=str(error), exit_code=error.exit_code))

    def _read(self) -> None:
        while (body := frames.read_frame(self._in)) is not None:
            request = frames.unpack_request(body)
            self._mail.put((not isinstance(request, EmbedTexts), request.id, request))
        os._exit(0)


def _leave(hook: threading.ExceptHookArgs) -> None:
    """A broken helper thread would leave requests unanswered for ever: end the whole worker instead."""
    traceback.print_exception(hook.exc_type, hook.exc_value, hook.exc_traceback)
    sys.stderr.flush()
    os._exit(70)
