"""A desk of images whose port hands all to a terminal and notes when, in time that passes only in sleep."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from answering import Graphics
from PIL import Image

from minegap_tui.images import Images, Pace
from minegap_tui.probe import Terminal
from minegap_tui.settings import ImagesSection

GREY = (21, 23, 28)
KITTY = Terminal(asked=True, answered=True, name="kitty(0.35.2)", kitty=True, cell=(10, 20))
XTERM = Terminal(asked=True, answered=True, name="XTerm(390)", sixel=True, cell=(8, 17), registers=256)
PLAIN = Terminal(asked=True, answered=True, name="VTE(7600)")
TMUX = Terminal(asked=True, answered=True, name="tmux 3.4", sixel=True, multiplexer="tmux")


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        time.sleep(0)  # lets other threads go on


class Line:
    """A port that hands all to a terminal, and notes when."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.graphics = Graphics()
        self.written: list[tuple[float, int]] = []
        self.after: Callable[[], None] = lambda: None
        self.busy = threading.Event()

    def ready(self) -> bool:
        return True

    def idle(self) -> bool:
        return not self.busy.is_set()

    def cell(self) -> tuple[int, int] | None:
        return None

    def write(self, text: str) -> None:
        self.written.append((self.clock.now, len(text)))
        for body in re.findall(r"\x1b_G(.*?)\x1b\\", text):
            self.graphics.take(body.encode())
        self.after()


def images(
    line: Line, terminal: Terminal = KITTY, *, colours: bool = True, kb: int = 1000, **wanted: Any
) -> Images:
    settings = ImagesSection(**wanted)
    pace = Pace(kb * 1000, line.clock, line.clock.sleep)
    return Images(settings, terminal, line, colours=colours, pace=pace, first=0x0A0B0C)


def noise(path: Path, size: tuple[int, int], seed: int = 1) -> Path:
    """An image that hardly compresses."""
    values = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(values).save(path, "PNG")
    return path
