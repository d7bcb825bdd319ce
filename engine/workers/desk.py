"""The frame of every worker process: requests in on stdin, replies out on a private copy of stdout.

File descriptor 1 is pointed at stderr before any model library is imported, so that nothing a library prints
can corrupt a frame. End-of-file on stdin means that the engine is gone: the process leaves at once, whatever
it is doing. An unforeseen exception ends the process with its traceback on stderr; the engine starts another.
The reader thread answers pings and obeys "hold" while the main thread is deep in a model.
"""

from __future__ import annotations

import heapq
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import BinaryIO

from engine.errors import FreshProcessError, MineGapError
from engine.workers import frames
from engine.workers.messages import (
    Begun,
    EmbedTexts,
    Fault,
    Forget,
    Forgotten,
    Held,
    Hold,
    Load,
    Paint,
    Ping,
    Pong,
    Release,
    Reply,
    Request,
    Sign,
    Write,
)

Handler = Callable[[Request], None]
BROKEN = 70
"""Exit code after an unforeseen exception in a helper thread, or when only a fresh process can go on."""


class Desk:
    """One worker's mail: a reader thread fills a queue, the main thread works it off, any thread replies."""

    def __init__(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # private copies: the interpreter's own sys.stdin must not be locked by a thread when it ends
        self._in: BinaryIO = os.fdopen(os.dup(0), "rb")
        self._out: BinaryIO = os.fdopen(os.dup(1), "wb", buffering=0)
        os.dup2(2, 1)
        self._writing = threading.Lock()
        # texts are quick and a candidate waits for them: they pass in front of image batches
        self._mail: list[tuple[bool, int, Request]] = []
        self._held = False
        self._news = threading.Condition()
        threading.excepthook = _leave

    def reply(self, message: Reply | Sign) -> None:
        """Send one message; whole frames only, from whichever thread."""
        frame = memoryview(frames.pack(message))
        with self._writing:
            while frame:
                frame = frame[self._out.write(frame) :]

    def work(self, handle: Handler) -> None:
        """Hand every request to ``handle`` until the engine closes the pipe; never returns normally.

        A ``MineGapError`` becomes a ``Fault`` reply; anything else ends the process, and so does a
        ``FreshProcessError`` after its reply.
        """
        threading.Thread(target=self._read, name="mail", daemon=True).start()
        while True:
            request = self._next()
            try:
                handle(request)
            except FreshProcessError as error:
                traceback.print_exception(error)
                self.reply(Fault(id=request.id, sentence=str(error), exit_code=error.exit_code, fresh=True))
                sys.stderr.flush()
                os._exit(BROKEN)
            except MineGapError as error:
                self.reply(Fault(id=request.id, sentence=str(error), exit_code=error.exit_code))

    def _next(self) -> Request:
        """Wait for the request to carry out next and announce it."""
        with self._news:
            while not self._mail or (self._held and isinstance(self._mail[0][2], Paint | Write)):
                self._news.wait()
            request = heapq.heappop(self._mail)[2]
            # announced before the lock is given back, so that it comes before the ``Held`` of a later hold
            self.reply(Begun(id=request.id))
        return request

    def _read(self) -> None:
        while (body := frames.read_frame(self._in)) is not None:
            message = frames.unpack_request(body)
            with self._news:
                match message:
                    case Ping():
                        self.reply(Pong(id=message.id))
                    case Hold():
                        self._held = True
                        self.reply(Held(id=message.id))
                    case Release():
                        self._held = False
                    case Forget():
                        self._forget(message.id)
                    case Load() | Paint() | EmbedTexts() | Write():
                        passes = isinstance(message, Load | EmbedTexts)
                        heapq.heappush(self._mail, (not passes, message.id, message))
                self._news.notify()
        os._exit(0)

    def _forget(self, number: int) -> None:
        kept = [entry for entry in self._mail if entry[1] != number]
        if len(kept) < len(self._mail):
            heapq.heapify(kept)
            self._mail = kept
            self.reply(Forgotten(id=number))


def _leave(hook: threading.ExceptHookArgs) -> None:
    """A broken helper thread would leave requests unanswered for ever: end the whole worker instead."""
    traceback.print_exception(hook.exc_type, hook.exc_value, hook.exc_traceback)
    sys.stderr.flush()
    os._exit(BROKEN)
