"""Examine the embedded pack: ``python -m engine.validation.known_world [--long] [--write] [--json]``.

Exit code 1 where an aim is surely missed (its whole 95 % interval) or a control finds the instrument broken.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from engine.microworld.skews import SkewTable
from engine.models.painter import PainterSettings, load_painter
from engine.models.protocols import Painter
from engine.models.scorer import load_scorer
from engine.models.writer import WriterSettings, load_writer
from engine.packs import EMBEDDED_DIRECTORY, read_pack_file
from engine.statistics import Estimate
from engine.validation.document import DOCUMENT, machine, narrate, replace_section, says_faults
from engine.validation.instrument import Examination, Instrument, Size, Trained, examine
from engine.validation.scores import FRESH_SEEDS

SHORT: Final = Size(prompts=80, tables=FRESH_SEEDS[:2], painted=16, guided=12)
LONG: Final = Size(prompts=96, tables=FRESH_SEEDS, painted=16, guided=32)


def trained_pack(pack: Path, name: str, priors: int | None) -> Trained:
    """A pack's painter as something to examine.

    Args:
        pack: its directory.
        name: what to call it.
        priors: seed of the table of skews that it was trained on; None: the embedded pack's table.
    """
    defaults = read_pack_file(pack).painter_defaults

    def at_guidance(guidance: float) -> Painter:
        return load_painter(
            str(pack / "painter"), PainterSettings(steps=defaults.steps, guidance=guidance, batch_size=16)
        )

    skews = SkewTable.planted() if priors is None else SkewTable.from_seed(priors)
    return Trained(name, skews, priors or 0, at_guidance(defaults.guidance or 1.0), at_guidance)


def load_instrument(retrained: Sequence[tuple[Path, int]] = ()) -> Instrument:
    """The embedded pack, and painters that were trained on other tables.

    Raises:
        InputError, MachineError: a model cannot be loaded.
    """
    trained = [trained_pack(EMBEDDED_DIRECTORY, "the embedded painter", None)]
    trained += [trained_pack(pack, f"a painter trained on table {seed}", seed) for pack, seed in retrained]
    return Instrument(
        load_scorer(EMBEDDED_DIRECTORY / "scorer", "auto", "float32"),
        load_writer(
            EMBEDDED_DIRECTORY / "writer.gguf",
            WriterSettings(threads=1, prompts=EMBEDDED_DIRECTORY / "prompts"),
        ),
        trained,
    )


def as_json(found: Examination) -> dict[str, Any]:
    """What ``--json`` prints."""
    return {
        "sound": found.sound,
        "faults": list(found.faults),
        "figures": [
            {
                "group": figure.group,
                "name": figure.name,
                "value": figure.estimate.value,
                "low": figure.estimate.low,
                "high": figure.estimate.high,
                "aim": figure.aim,
                "at_least": figure.at_least,
                "verdict": figure.verdict,
            }
            for figure in found.figures
        ],
    }


def report(found: Examination, size: Size, seconds: float) -> str:
    """The section of docs/validity.md."""
    lines = [
        "## The instrument, where the truth is known",
        "",
        f"Written by `python -m engine.validation.known_world{' --long' if size == LONG else ''} --write` on "
        f"{machine()}, in {seconds:.0f} s; `minegap validate scores` shows the same without `--long`. "
        f"{size.prompts} prompts of the grammar for each table of skews; fresh tables (seeds "
        f"{', '.join(map(str, size.tables))}) for the drawing painter, the table that it was trained on for a "
        "trained one. 95 % intervals; rank correlation is -Spearman of score and planted bias.",
        "",
        "| what | figure | aim | |",
        "|---|---|---|---|",
    ]
    group = ""
    for figure in found.figures:
        if figure.group != group:
            group = figure.group
            lines.append(f"| **{group}** | | | |")
        aim = "" if figure.aim is None else f"{'≥' if figure.at_least else '≤'} {figure.aim:g}"
        lines.append(f"| {figure.name} | {_shown(figure.estimate)} | {aim} | {figure.verdict} |")
    lines += ["", *(found.faults or ("Controls: nothing found wrong with painter, scorer or writer.",))]
    return "\n".join(lines) + "\n"


def _shown(estimate: Estimate) -> str:
    if estimate.low == estimate.high == estimate.value:
        return f"{estimate.value:.3f}"
    return f"{estimate.value:.3f} ({estimate.low:.3f} … {estimate.high:.3f})"


@says_faults
def main(arguments: Sequence[str] | None = None) -> int:
    """Examine, print, write; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m engine.validation.known_world", description=__doc__)
    parser.add_argument("--long", action="store_true", help="measure more; takes long")
    parser.add_argument(
        "--retrained", nargs=2, action="append", default=[], metavar=("PACK", "SEED"),
        help="also a pack whose painter was trained on the table of skews SEED",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="figures as JSON")
    parser.add_argument("--write", action="store_true", help=f"put the table into {DOCUMENT}")
    options = parser.parse_args(arguments)
    size = LONG if options.long else SHORT
    started = time.monotonic()
    instrument = load_instrument([(Path(pack), int(seed)) for pack, seed in options.retrained])
    found = examine(instrument, size, narrate)
    text = report(found, size, time.monotonic() - started)
    sys.stdout.write(json.dumps(as_json(found)) + "\n" if options.json else text)
    if options.write:
        replace_section(DOCUMENT, "instrument", text)
    return 0 if found.sound else 1


if __name__ == "__main__":
    sys.exit(main())
