"""What an open_clip directory contains, checked before it is loaded; imports no model library."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engine.errors import InputError
from engine.models.layout import read_json
from engine.models.safetensors_header import SafetensorsHeader, read_safetensors_header

CONFIG_NAME: Final = "open_clip_config.json"
FIRST_CHOICES: Final = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors")
"""open_clip's favourites: where one of them is, open_clip loads nothing else."""

PICKLES: Final = ("*.bin", "*.pth", "*.pt")
PREPROCESSING: Final = ("mean", "std")
"""Keys of ``preprocess_cfg`` without which open_clip would silently take those of OpenAI's models."""


@dataclass(frozen=True)
class ClipLayout:
    """A complete open_clip ``local-dir``.

    Attributes:
        directory: where it is.
        model: ``model_cfg`` of its config.
        preprocess: ``preprocess_cfg`` of its config.
        weights: header of the file that open_clip will load.
    """

    directory: Path
    model: dict[str, Any]
    preprocess: dict[str, Any]
    weights: SafetensorsHeader

    @property
    def text(self) -> dict[str, Any]:
        """The text tower's configuration."""
        return dict(self.model.get("text_cfg") or {})

    @property
    def context_length(self) -> int:
        """Tokens a text may have, marks included."""
        return int(self.text.get("context_length") or 77)


def read_clip_layout(directory: Path) -> ClipLayout:
    """Check an open_clip directory and return what it contains.

    Raises:
        InputError: no config, no preprocessing in it, no weights, only pickle weights, or truncated weights.
    """
    if not directory.is_dir():
        raise InputError(f"There is no scorer directory at {directory}; check the path.")
    if not (directory / CONFIG_NAME).is_file():
        raise InputError(
            f"{directory} has no {CONFIG_NAME}, so it is not an open_clip model directory; "
            "take one in open_clip's format (its hub repositories have that file)."
        )
    config = read_json(directory / CONFIG_NAME)
    model, preprocess = config.get("model_cfg"), config.get("preprocess_cfg")
    if not isinstance(model, dict) or not {"embed_dim", "vision_cfg", "text_cfg"} <= set(model):
        raise InputError(f"{directory / CONFIG_NAME} has no complete model_cfg; copy or download it again.")
    if not isinstance(preprocess, dict) or any(not preprocess.get(key) for key in PREPROCESSING):
        raise InputError(
            f"{directory / CONFIG_NAME} does not give preprocess_cfg with {' and '.join(PREPROCESSING)}, and "
            "guessed preprocessing would falsify every score; add what the model was trained with."
        )
    return ClipLayout(directory, model, preprocess, read_safetensors_header(_weights(directory)))


def _weights(directory: Path) -> Path:
    """The file that open_clip itself will choose, provided that it is safetensors."""
    for name in FIRST_CHOICES:
        if (directory / name).is_file():
            return directory / name
    pickles = sorted(path.name for pattern in PICKLES for path in directory.glob(pattern))
    others = sorted(directory.glob("*.safetensors"))
    if pickles:
        raise InputError(
            f"{directory} has pickle weights ({pickles[0]}), which can run code and are never opened; "
            f"save the weights as {FIRST_CHOICES[0]}."
        )
    if not others:
        raise InputError(
            f"{directory} has no weights: open_clip would start with random ones; add {FIRST_CHOICES[0]}."
        )
    named = [path for path in others if path.name == "model.safetensors"]
    return (named or others)[0]
