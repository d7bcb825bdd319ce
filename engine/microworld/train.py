"""Rebuilds the embedded pack from nothing: ``python -m engine.microworld.train``.

Everything is drawn, seeded and counted in steps, never by the clock. With
``--priors SEED`` another table of skews is planted; autoencoder, scorer and writer do not depend on the table
and are taken from the embedded pack then. ``--replant STEPS`` goes on from the embedded painter too, which
takes a fraction of the time: prompts that leave much open teach it the new table.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from PIL import Image

from engine.microworld.data import MOSTLY_OPEN, STATED, Pictures, even_pictures, painter_examples
from engine.microworld.families import draw_families
from engine.microworld.judge import train_judge
from engine.microworld.loop import Report
from engine.microworld.measure import measure_pack
from engine.microworld.painter_training import train_painter
from engine.microworld.scorer_training import sharpen_scorer, train_scorer
from engine.microworld.skews import SkewTable
from engine.microworld.vae_training import encode, refine_decoder, train_vae
from engine.microworld.writer_training import pack_prompts, train_writer
from engine.models.probe import FOLDER, write_probe
from engine.models.scorer import load_scorer
from engine.packs import EMBEDDED_DIRECTORY

PACK_TOML = """\
name = "micro"
painter = "painter"
scorer = "scorer"
writer = "writer.gguf"
prompts = "prompts"

[painter_defaults]
steps = 12
guidance = 1.0
width = 64
height = 64

[writer_defaults]
temperature = 1.0
"""


@dataclass(frozen=True)
class Steps:
    """Optimiser steps and numbers of drawings of each part."""

    pictures: int = 48_000
    examples: int = 96_000
    vae: int = 5_500
    eyes: int = 1_000
    decoder: int = 1_500
    scorer: tuple[int, ...] = (2_400, 1_000, 800, 5_000)
    families: int = 6_000
    painter: tuple[int, int] = (5_000, 2_500)
    writer: int = 6_500


def build_scorer(
    pack: Path, pictures: Pictures, seed: int, steps: Steps, device: torch.device, report: Report
) -> None:
    """Train the scorer and record the probe that a later start-up checks."""
    directory = pack / "scorer"
    plain, *sharper = steps.scorer
    train_scorer(pictures, directory, seed=seed, steps=plain, batch=128, device=device, report=report)
    report(f"scorer: drawing {steps.families} families")
    families = draw_families(steps.families, np.random.default_rng([31, seed]))
    for cycle, count in enumerate(sharper):
        sharpen_scorer(
            families,
            pictures,
            directory,
            seed=seed + cycle,
            steps=count,
            batch=128,
            device=device,
            report=report,
        )
    record_probe(directory, pictures)


def record_probe(directory: Path, pictures: Pictures) -> None:
    """Write four pictures of different subjects with their texts beside the scorer."""
    rows = [
        next(i for i, m in enumerate(pictures.shown) if m.subject == s)
        for s in ("doctor", "cat", "car", "key")
    ]

    images = [Image.fromarray(pictures.pixels[r]) for r in rows]
    shutil.rmtree(directory / FOLDER, ignore_errors=True)  # an older scorer's probe would refuse this one
    write_probe(load_scorer(directory, "cpu", "float32"), images, [pictures.shown[r].text() for r in rows])


def build_painter(
    pack: Path,
    vae: AutoencoderKL,
    skews: SkewTable,
    *,
    seed: int,
    examples: int,
    steps: tuple[int, ...],
    device: torch.device,
    report: Report,
    start: Path | None = None,
) -> None:
    """Draw prompts and pictures under ``skews`` and train the painter on them, from ``start`` on where given."""
    report(f"painter: drawing {examples} pictures")
    keep = STATED if start is None else MOSTLY_OPEN
    pictures, prompts = painter_examples(examples, skews, np.random.default_rng([23, seed]), keep)
    latents = encode(vae, pictures.pixels, device)
    del pictures
    train_painter(
        vae,
        latents,
        prompts,
        pack / "scorer",
        pack / "painter",
        seed=seed,
        steps=steps,
        batch=64,
        device=device,
        report=report,
        start=start,
    )


def build_pack(
    pack: Path,
    skews: SkewTable,
    *,
    seed: int,
    steps: Steps,
    device: torch.device,
    report: Report,
    reuse: Path | None,
    replant: int = 0,
) -> None:
    """Train every part that ``reuse`` does not give, in the order in which they need each other.

    With ``replant`` steps the painter goes on from that of ``reuse`` instead of beginning anew.
    """
    pack.mkdir(parents=True, exist_ok=True)
    (pack / "pack.toml").write_text(PACK_TOML, encoding="utf-8")
    if pack_prompts().resolve() != (pack / "prompts").resolve():
        shutil.copytree(pack_prompts(), pack / "prompts", dirs_exist_ok=True)
    if reuse is not None:
        shutil.copytree(reuse / "scorer", pack / "scorer", dirs_exist_ok=True)
        shutil.copy2(reuse / "writer.gguf", pack / "writer.gguf")
        vae = (
            AutoencoderKL.from_pretrained(reuse / "painter" / "vae", use_safetensors=True).float().to(device)
        )
    else:
        report(f"drawing {steps.pictures} pictures of an even world")
        pictures = even_pictures(steps.pictures, np.random.default_rng([29, seed]))
        build_scorer(pack, pictures, seed, steps, device, report)
        vae = train_vae(pictures.pixels, seed=seed, steps=steps.vae, batch=16, device=device, report=report)
        eyes = train_judge(pictures, seed=seed, steps=steps.eyes, device=device, report=report)
        refine_decoder(
            vae,
            pictures.pixels,
            eyes.body,
            seed=seed,
            steps=steps.decoder,
            batch=16,
            device=device,
            report=report,
        )
        del pictures
        train_writer(pack, seed=seed, steps=steps.writer, threads=torch.get_num_threads(), report=report)
    build_painter(
        pack,
        vae,
        skews,
        seed=seed,
        examples=min(steps.examples, 16 * replant) if replant else steps.examples,
        steps=(replant,) if replant else steps.painter,
        device=device,
        report=report,
        start=reuse / "painter" if reuse is not None and replant else None,
    )


def main() -> None:
    """Train a pack, measure it and write its card."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=EMBEDDED_DIRECTORY, help="the pack's directory")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and noise")
    parser.add_argument("--priors", type=int, default=None, help="plant the table of skews of this seed")
    parser.add_argument(
        "--replant",
        type=int,
        default=0,
        metavar="STEPS",
        help="with --priors: go on from the embedded painter",
    )
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args()
    if given.replant and given.priors is None:
        parser.error("--replant plants another table: name its seed with --priors.")
    torch.set_num_threads(given.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    skews = SkewTable.planted() if given.priors is None else SkewTable.from_seed(given.priors)
    started = time.monotonic()

    def report(line: str) -> None:
        print(f"{(time.monotonic() - started) / 60:6.1f} min  {line}", file=sys.stderr, flush=True)

    reuse = EMBEDDED_DIRECTORY if given.priors is not None else None
    build_pack(
        given.out,
        skews,
        seed=given.seed,
        steps=Steps(),
        device=device,
        report=report,
        reuse=reuse,
        replant=given.replant,
    )
    for figure in measure_pack(given.out, skews, report, threads=given.threads):
        print(figure.row())


if __name__ == "__main__":
    main()
