"""Start-up probes of a scorer: the silent faults of CLIP loading, made loud.

A CLIP with the wrong activation, the wrong preprocessing or half of its weights still answers, only wrongly.
Three probes, each as strict as its evidence allows:

1. *Preprocessing*: our transform against the one open_clip returned for this model, on noise; they must agree
   exactly.
2. *Published settings*: where the directory is one of open_clip's published models (known by its
   repository name), activation, mean, std, kernel and resize mode must be the published ones.
3. *Pairs*: where the directory has a folder ``probe/`` (``probe.json`` beside PNG files), each picture must
   be nearest to its own text, and recorded cosines, where given, must come out again. The embedded pack has
   one; ``write_probe`` makes one for any model whose outputs are trusted.

``probe.json``: ``{"pairs": [{"image": "0.png", "text": "a red cat"}, …], "cosines": [[…], …]}`` with cosines
images x texts, optional.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import open_clip
import torch
from PIL import Image

from engine.errors import InputError
from engine.models.clip_layout import CONFIG_NAME, ClipLayout
from engine.models.layout import read_json
from engine.models.resize import Preprocess

if TYPE_CHECKING:
    from engine.models.scorer import OpenClipScorer

FOLDER: Final = "probe"
NOISE_SIZES: Final = ((70, 50), (64, 64))
TOLERANCE: Final = {torch.float32: 1e-3, torch.float16: 1e-2, torch.bfloat16: 3e-2}
"""How far a precision and another device's summation order may move a cosine; another activation, mean or
resize mode moves it further."""


def probe_preprocessing(layout: ClipLayout, ours: Preprocess, theirs: Any) -> None:
    """Compare our preprocessing with open_clip's own transform.

    Raises:
        InputError: they differ, so images would be scored as another model's.
    """
    rng = np.random.default_rng(5)
    for height, width in NOISE_SIZES:
        noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        tensor = torch.from_numpy(noise).permute(2, 0, 1)
        if not torch.equal(ours(tensor[None])[0], theirs(Image.fromarray(noise))):
            raise InputError(
                f"The preprocessing of {layout.directory} ({ours}) is not what open_clip does for it; "
                "this open_clip version is not supported."
            )


def probe_published(layout: ClipLayout) -> None:
    """Compare activation and preprocessing with what open_clip knows of a published model.

    Raises:
        InputError: the directory's config contradicts the published one.
    """
    published = _published_settings(layout.directory)
    if published is None:
        return
    stated = layout.preprocess | {"quick_gelu": bool(layout.model.get("quick_gelu", False))}
    for key, wanted in published.items():
        found = stated.get(key)
        if found is not None and not _same(found, wanted):
            raise InputError(
                f"{layout.directory / CONFIG_NAME} says {key} = {found!r} where the published model has "
                f"{wanted!r}; correct it, or every score would be silently wrong."
            )


def probe_pairs(layout: ClipLayout, scorer: OpenClipScorer) -> None:
    """Score the directory's own probe pictures against their texts.

    Raises:
        InputError: a picture is nearest to another one's text, or recorded cosines do not come out again.
    """
    folder = layout.directory / FOLDER
    if not folder.is_dir():
        return
    probe = read_json(folder / "probe.json")
    try:
        texts = [str(pair["text"]) for pair in probe["pairs"]]
        pictures = [Image.open(folder / str(pair["image"])).convert("RGB") for pair in probe["pairs"]]
        recorded = np.asarray(probe.get("cosines", []), dtype=np.float64)
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"The probe in {folder} cannot be read ({error}); repair or remove it.") from error
    cosines = _cosines(scorer, pictures, texts)
    winners = cosines.argmax(axis=1)
    missed = [texts[i] for i, winner in enumerate(winners) if winner != i]
    if missed:
        raise InputError(
            f"The scorer {layout.directory} takes {len(missed)} of {len(texts)} probe pictures for another "
            "one's text: its weights, activation (quick_gelu) or preprocessing are wrong; restore its config."
        )
    if recorded.shape == cosines.shape and np.abs(recorded - cosines).max() > TOLERANCE[scorer.dtype]:
        raise InputError(
            f"The scorer {layout.directory} gives cosines up to {np.abs(recorded - cosines).max():.3f} away "
            "from those recorded in its probe: its weights, activation (quick_gelu) or preprocessing changed."
        )


def write_probe(scorer: OpenClipScorer, images: Sequence[Image.Image], texts: Sequence[str]) -> Path:
    """Write ``probe/`` into a scorer's directory: matching pictures and texts, and today's cosines."""
    folder = scorer.directory / FOLDER
    folder.mkdir(exist_ok=True)
    for number, image in enumerate(images):
        image.save(folder / f"{number}.png")
    cosines = _cosines(scorer, [image.convert("RGB") for image in images], texts)
    pairs = [{"image": f"{number}.png", "text": text} for number, text in enumerate(texts)]
    described = {"pairs": pairs, "cosines": np.round(cosines, 5).tolist()}
    (folder / "probe.json").write_text(json.dumps(described, indent=1))
    return folder


def _cosines(scorer: OpenClipScorer, images: Sequence[Image.Image], texts: Sequence[str]) -> Any:
    """Cosines images x texts."""
    rows = [scorer.embed_images(_tensor(image)[None]) for image in images]
    return np.concatenate(rows) @ scorer.embed_texts(texts).vectors.T


def _tensor(image: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def _published_settings(directory: Path) -> dict[str, Any] | None:
    """What open_clip's registry says of the repository this directory is a copy of; None where it is none."""
    names = {"/".join(directory.resolve().parts[-2:])}
    for part in directory.absolute().parts:
        if part.startswith("models--"):
            names.add(part.removeprefix("models--").replace("--", "/"))
    for architecture, tag in open_clip.list_pretrained():
        config = open_clip.get_pretrained_cfg(architecture, tag)
        if str(config.get("hf_hub", "")).rstrip("/") in names:
            keys = ("mean", "std", "interpolation", "resize_mode")
            known = {key: config[key] for key in keys if config.get(key)}
            return known | {"quick_gelu": bool(config.get("quick_gelu", False))}
    return None


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, (list, tuple)):
        given = found if isinstance(found, (list, tuple)) else [found] * len(wanted)
        return len(given) == len(wanted) and bool(np.allclose(given, wanted, atol=1e-6))
    return bool(found == wanted)
