"""Workers that compute on the processor leave it to the app and the engine where cores are short."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from engine.workers.manners import NICENESS

HERE = os.getpriority(os.PRIO_PROCESS, 0)
BEHIND = min(HERE + NICENESS, 19)

THREADS = """
import os, threading
from engine.workers.manners import give_way

def priority(found, go):
    go.wait()
    found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

found, go = [], threading.Event()
mail = threading.Thread(target=priority, args=(found, go))
mail.start()
give_way()
go.set()
mail.join()
later = threading.Thread(target=priority, args=(found, go))
later.start()
later.join()
print(*found, os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
"""

PAINTER = """
import os, sys, types
from types import SimpleNamespace as Some

devices = types.ModuleType("engine.models.devices")
devices.choose_device = lambda wish: Some(value=Some(type=wish))
sys.modules["engine.models.devices"] = devices
from engine.config import MiningConfig
from engine.workers import painter
from engine.workers.messages import Load

seen = []
model = Some(fingerprint="", size=(64, 64), context_length=77, logit_scale=100.0)
painter.resolve_pack = painter.refuse_unusable_files = lambda _: None
painter.load_scorer_of = lambda *_: model
painter.load_painter_of = lambda *_: seen.append(os.getpriority(os.PRIO_PROCESS, 0)) or model
config = MiningConfig.model_validate({"painter": {"device": sys.argv[1]}})
painter.PainterDesk(Some(reply=lambda _: None)).handle(Load(id=1, config=config.model_dump_json().encode()))
print(*seen)
"""


def said(program: str, *arguments: str) -> list[int]:
    """What a process of its own says: a priority that was given away does not come back."""
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True
    )
    return [int(word) for word in done.stdout.split()]


def test_threads_that_answer_the_engine_stay_prompt_and_those_that_compute_give_way() -> None:
    assert said(THREADS) == [HERE, BEHIND, BEHIND]


@pytest.mark.parametrize(("device", "expected"), [("cpu", BEHIND), ("cuda", HERE)])
def test_a_painter_gives_way_on_the_processor_and_feeds_a_gpu_promptly(device: str, expected: int) -> None:
    assert said(PAINTER, device) == [expected], "before the models are loaded, whose threads inherit it"
