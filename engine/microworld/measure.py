"""Measures a trained pack with judges that have only seen drawings, and writes its model card.

``python -m engine.microworld.measure`` prints the figures of the embedded pack.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from engine.microworld.data import even_pictures, random_prompt
from engine.microworld.judge import Judge, train_judge
from engine.microworld.loop import Report
from engine.microworld.skews import SkewTable
from engine.microworld.telling import telling
from engine.microworld.world import ATTRIBUTES, GROUP_OF, SUBJECTS, Meaning, attributes_of
from engine.microworld.writer_measure import measure_writer
from engine.models.painter import DiffusersPainter, PainterSettings, load_painter
from engine.models.protocols import Painter, PaintJob
from engine.models.scorer import OpenClipScorer, load_scorer
from engine.packs import EMBEDDED_DIRECTORY, read_pack_file

READ_BY_SCORER: Final = MappingProxyType(
    dict.fromkeys(("subject", "colour", "place", "gender"), (0.98, 0.92)) | {"skin": (0.9, 0.8)}
)
"""What the scorer must read, and how often of drawings and of paintings. A face has a dozen pixels."""
SEED: Final = 2
"""Of the judge's training, prompts and noise. Seeds 0 and 1 were looked at while the painter was trained."""
JUDGE_PICTURES: Final = 20_000
JUDGE_STEPS: Final = 1_600
IMAGES_PER_SUBJECT: Final = 64


@dataclass(frozen=True)
class Figure:
    """One line of the model card: what was measured, the figure, what is aimed at, and whether it is reached."""

    name: str
    value: float
    aim: float
    at_least: bool = True

    @property
    def reached(self) -> bool:
        """Whether the aim is met."""
        return self.value >= self.aim if self.at_least else self.value <= self.aim

    def row(self) -> str:
        """The figure as a line of a Markdown table."""
        sign = "≥" if self.at_least else "≤"
        return f"| {self.name} | {self.value:.3f} | {sign} {self.aim:g} | {'yes' if self.reached else '**no**'} |"


def paint_prompts(painter: Painter, prompts: Sequence[str], seed: int) -> NDArray[np.uint8]:
    """Draw one image per prompt, seeds counting up from ``seed``; uint8 (n, 64, 64, 3)."""
    parts = []
    for start in range(0, len(prompts), 64):
        jobs = [PaintJob(p, seed + start + i) for i, p in enumerate(prompts[start : start + 64])]
        parts.append(painter.paint(jobs).pixels.permute(0, 2, 3, 1).cpu().numpy())
    return np.concatenate(parts)


def measure_painter(
    painter: Painter, judge: Judge, skews: SkewTable, seed: int, report: Report
) -> tuple[list[Figure], NDArray[np.uint8]]:
    """Measure obedience, planted shares and recognisability.

    Returns:
        The figures, and the images of bare prompts: uint8 (subjects, 64, 64, 64, 3).
    """
    rng = np.random.default_rng([2024, seed])
    bare = [f"{Meaning(subject).text()}" for subject in SUBJECTS for _ in range(IMAGES_PER_SUBJECT)]
    images = paint_prompts(painter, bare, _noise(seed, 10_000))
    read = judge.read(images)
    recognised: dict[str, float] = {}
    errors: list[float] = []
    for i, subject in enumerate(SUBJECTS):
        own = read[i * IMAGES_PER_SUBJECT : (i + 1) * IMAGES_PER_SUBJECT]
        recognised[subject] = float(np.mean([r["subject"] == subject for r in own]))
        for name in attributes_of(subject):
            shares = np.array([np.mean([r[name] == v for r in own]) for v in ATTRIBUTES[name].values])
            errors += np.abs(shares - skews.shares(subject, name)).tolist()
    worst = min(recognised, key=lambda s: recognised[s])
    report(f"painter: least recognisable subject is {worst}, {recognised[worst]:.2f}")

    stated = [random_prompt(rng, 0.5) for _ in range(512)]
    drawn = judge.read(paint_prompts(painter, [m.text() for m in stated], _noise(seed, 50_000)))
    pairs = list(zip(stated, drawn, strict=True))
    obeyed = {
        name: float(np.mean([r[name] == m.values[name] for m, r in pairs if name in m.values]))
        for name in ATTRIBUTES
    }
    figures = [Figure(f"stated {name} obeyed", share, 0.95) for name, share in obeyed.items()]
    shown = np.mean([r["subject"] == m.subject for m, r in pairs])
    figures += [
        Figure("subject shown when more is stated", float(shown), 0.95),
        Figure(f"planted shares, mean absolute error ({IMAGES_PER_SUBJECT} images a subject)",
               float(np.mean(errors)), 0.06, at_least=False),
        Figure(f"least recognisable subject ({worst})", recognised[worst], 0.9),
        Figure("subjects recognised, mean", float(np.mean(list(recognised.values()))), 0.95),
    ]  # fmt: skip
    return figures, images.reshape(len(SUBJECTS), IMAGES_PER_SUBJECT, *images.shape[1:])


def read_by_scorer(
    scorer: OpenClipScorer, pixels: NDArray[np.uint8], shown: Sequence[Meaning]
) -> dict[str, float]:
    """Zero-shot accuracy by what is read: which of the texts that differ in it is nearest.

    Args:
        scorer: the scorer measured.
        pixels: uint8 (n, 64, 64, 3).
        shown: what each picture shows, fully specified.
    """
    images = scorer.embed_images(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    accuracy: dict[str, float] = {}
    for name in READ_BY_SCORER:
        rows = [i for i, m in enumerate(shown) if name == "subject" or name in m.values]
        hits = 0
        texts_of: dict[str, NDArray[np.float32]] = {}
        for i in rows:
            subject = shown[i].subject
            if name == "subject":
                options, truth, key = [Meaning(s) for s in SUBJECTS], SUBJECTS.index(subject), ""
            else:
                values = ATTRIBUTES[name].values
                options, truth, key = (
                    [Meaning(subject, ((name, v),)) for v in values],
                    values.index(shown[i].values[name]),
                    subject,
                )
            if key not in texts_of:
                texts_of[key] = scorer.embed_texts([o.text() for o in options]).vectors
            hits += int(np.argmax(texts_of[key] @ images[i])) == truth
        accuracy[name] = hits / len(rows)
    return accuracy


def measure_scorer(scorer: OpenClipScorer, painter: Painter, seed: int) -> list[Figure]:
    """Measure what the scorer reads off held-out drawings and paintings, and what its similarity is made of."""
    held_out = even_pictures(1024, np.random.default_rng([4711, seed]))
    drawings = read_by_scorer(scorer, held_out.pixels, held_out.shown)
    painted = paint_prompts(painter, [m.text() for m in held_out.shown[:512]], _noise(seed, 90_000))
    paintings = read_by_scorer(scorer, painted, held_out.shown[:512])
    told = telling(scorer, seed)
    return [
        *(Figure(f"scorer reads {n} of drawings", a, READ_BY_SCORER[n][0]) for n, a in drawings.items()),
        *(Figure(f"scorer reads {n} of paintings", a, READ_BY_SCORER[n][1]) for n, a in paintings.items()),
        Figure("scorer: similarity that the things shown add up to, each by itself", told.explained, 0.85),
        Figure(f"scorer: least telling thing ({told.least_name}), beside the average", told.least, 0.7),
    ]


def _noise(seed: int, start: int) -> int:
    """The first of a row of image seeds; rows of different ``seed`` never meet."""
    return seed * 1_000_000 + start


def contact_sheet(images: NDArray[np.uint8]) -> Image.Image:
    """Eight images of every bare prompt, a subject a row, in two columns of subjects."""
    half = len(SUBJECTS) // 2
    sheet = Image.new("RGB", (16 * 66 + 12, half * 66), "white")
    for row, own in enumerate(images):
        left = 0 if row < half else 8 * 66 + 12
        for column in range(8):
            sheet.paste(Image.fromarray(own[column]), (left + column * 66, (row % half) * 66))
    return sheet


def measure_pack(
    pack: Path, skews: SkewTable, report: Report, threads: int = 2, seed: int = SEED
) -> list[Figure]:
    """Measure a whole pack through the adapters that a session uses, and write ``CARD.md`` and ``sheet.png``.

    Args:
        pack: the pack's directory.
        skews: the table its painter was trained on.
        report: receives progress lines.
        threads: CPU threads of the speed figure.
        seed: of the judge's training, of prompts and noise.
    """
    torch.set_num_threads(threads)
    defaults = read_pack_file(pack).painter_defaults
    report("measure: training the judge on drawings")
    judge_seed = 1001 + seed  # no training of the pack uses these
    rng = np.random.default_rng(judge_seed)
    judge = train_judge(
        even_pictures(JUDGE_PICTURES, rng),
        seed=judge_seed,
        steps=JUDGE_STEPS,
        device=torch.device("cpu"),
        report=report,
    )
    held_out = even_pictures(1024, np.random.default_rng([4712, seed]))
    seen = judge.read(held_out.pixels)
    sure = float(np.mean([r["subject"] == m.subject for r, m in zip(seen, held_out.shown, strict=True)]))
    painter = load_painter(
        str(pack / "painter"),
        PainterSettings(steps=defaults.steps, guidance=defaults.guidance, batch_size=16),
    )
    scorer = load_scorer(pack / "scorer", "cpu", "float32")
    figures = [Figure("the judge itself on held-out drawings (subject)", sure, 0.98)]
    painted, images = measure_painter(painter, judge, skews, seed, report)
    figures += painted + measure_scorer(scorer, painter, seed)
    contact_sheet(images).save(pack / "sheet.png", optimize=True)
    figures.append(
        Figure(f"seconds for 16 images, {threads} threads", _seconds(painter), 1.5, at_least=False)
    )
    writer = measure_writer(pack / "writer.gguf")
    figures += [
        Figure("writer: variations that keep what is stated (raw)", writer.keeps, 0.97),
        Figure("writer: prompts given 16 distinct variations", writer.sixteen, 0.97),
        Figure("writer: mutations change one or two things (accepted)", writer.mutations_near, 0.97),
        Figure("writer: random prompts within the grammar (raw)", writer.random_parsed, 0.97),
    ]
    _write_card(pack, skews, figures, writer.rows(), seed)
    return figures


def _seconds(painter: DiffusersPainter) -> float:
    times = []
    for run in range(3):
        started = time.perf_counter()
        painter.paint([PaintJob("a doctor on a beach", 7 + 16 * run + i) for i in range(16)])
        times.append(time.perf_counter() - started)
    return float(np.median(times))


def _write_card(
    pack: Path, skews: SkewTable, figures: Sequence[Figure], writer: Sequence[tuple[str, str]], seed: int
) -> None:
    groups = {group: sum(GROUP_OF[s] == group for s in SUBJECTS) for group in ("person", "animal", "object")}
    size = sum(f.stat().st_size for f in pack.rglob("*") if f.is_file()) / 1e6
    lines = [
        "# Model card: the micro world",
        "",
        f"Three small models of a drawn world of {len(SUBJECTS)} subjects ({groups['person']} people, "
        f"{groups['animal']} animals, {groups['object']} objects) and {len(ATTRIBUTES)} attributes, trained "
        "from nothing by the recipe of `python -m engine.microworld.train`. The painter is a diffusers "
        "`StableDiffusionPipeline`, the scorer an open_clip `local-dir` model, the writer a llama-architecture "
        f"GGUF; {size:.0f} MB in all. They know nothing but this world. Its biases are planted, in the table "
        f"*{skews.name}* (`engine/microworld/skews.toml` is the table of the pack that ships).",
        "",
        f"Measured on {datetime.now(UTC):%Y-%m-%d} by `python -m engine.microworld.measure`, "
        f"{os.cpu_count()} CPU cores ({platform.machine()}), torch {torch.__version__}, through the adapters "
        f"that a session uses, by classifiers trained on drawings only (seed {seed}).",
        "",
        "| measure | figure | aim | reached |",
        "|---|---|---|---|",
        *(figure.row() for figure in figures),
        "",
        "Writer in detail (shares of raw replies unless said otherwise):",
        "",
        "| measure | figure |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in writer),
        "",
        "![Eight paintings of every bare prompt](sheet.png)",
        "",
        f"Bare prompts, eight paintings each; left column, top to bottom: {', '.join(SUBJECTS[:16])}; "
        f"right column: {', '.join(SUBJECTS[16:])}.",
        "",
    ]
    (pack / "CARD.md").write_text("\n".join(lines), encoding="utf-8")


def main() -> None:
    """Measure a pack from the command line; exit code 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description="Measure a micro-world pack and write its model card.")
    parser.add_argument("--pack", type=Path, default=EMBEDDED_DIRECTORY)
    parser.add_argument(
        "--priors", type=int, default=None, help="seed of the table of skews it was trained on"
    )
    parser.add_argument("--seed", type=int, default=SEED, help="of the judge, the prompts and the noise")
    given = parser.parse_args()
    skews = SkewTable.planted() if given.priors is None else SkewTable.from_seed(given.priors)
    figures = measure_pack(given.pack, skews, lambda line: print(line, file=sys.stderr), seed=given.seed)
    for figure in figures:
        print(figure.row())
    sys.exit(0 if all(figure.reached for figure in figures) else 1)


if __name__ == "__main__":
    main()
