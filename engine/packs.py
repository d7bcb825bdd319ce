"""Model packs: which painter, scorer and writer a configuration means. Looks at paths, loads nothing.

A pack is a directory with ``pack.toml``::

    name = "micro"
    painter = "painter"        # diffusers directory, repo id in the local cache, or drawing:SEED
    scorer = "scorer"          # open_clip local-dir
    writer = "writer.gguf"
    prompts = "prompts"        # optional directory of meta-prompts
    [painter_defaults]         # optional: steps, guidance, width, height
    [writer_defaults]          # optional: context, temperature
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.config import MiningConfig
from engine.errors import InputError

EMBEDDED = "micro"
EMBEDDED_DIRECTORY = Path(__file__).parent / "microworld" / "pack"
DRAWING = "drawing:"
"""``painter = "drawing:SEED"`` names the drawn world itself, under the skews that SEED plants."""

Setting = int | float | None


class _PainterDefaults(BaseModel):
    model_config = ConfigDict(extra="forbid")
    steps: int | None = Field(default=None, ge=1)
    guidance: float | None = Field(default=None, ge=0)
    width: int | None = Field(default=None, ge=8)
    height: int | None = Field(default=None, ge=8)


class _WriterDefaults(BaseModel):
    model_config = ConfigDict(extra="forbid")
    context: int | None = Field(default=None, ge=128)
    temperature: float | None = Field(default=None, gt=0)


class PackFile(BaseModel):
    """What ``pack.toml`` says, checked."""

    model_config = ConfigDict(extra="forbid")
    name: str
    painter: str = "painter"
    scorer: str = "scorer"
    writer: str = "writer.gguf"
    prompts: str | None = None
    painter_defaults: _PainterDefaults = Field(default_factory=_PainterDefaults)
    writer_defaults: _WriterDefaults = Field(default_factory=_WriterDefaults)


@dataclass(frozen=True)
class Pack:
    """The three roles as adapters take them: a path, or what the user wrote (repo id, ``drawing:SEED``).

    Attributes:
        prompts: directory of meta-prompts that overrides the built-in ones; None for those.
        painter_settings: steps, guidance, width, height after all layers; None = the model's own.
        writer_settings: context, temperature after all layers; None = the adapter's own.
    """

    name: str
    painter: str
    scorer: str
    writer: str
    prompts: Path | None = None
    painter_settings: Mapping[str, Setting] = field(default_factory=dict)
    writer_settings: Mapping[str, Setting] = field(default_factory=dict)


def resolve_pack(config: MiningConfig) -> Pack:
    """Find the pack that ``[models]`` names and lay the configuration's own values over it.

    A role that the configuration replaces loses the pack's defaults for it: they belong to the pack's model.

    Raises:
        InputError: the pack or one of its parts is missing or malformed.
    """
    models = config.models
    if models.painter and models.scorer and models.writer:
        file, directory = PackFile(name="custom"), Path()
    else:
        directory = EMBEDDED_DIRECTORY if models.pack == EMBEDDED else Path(models.pack).expanduser()
        file = read_pack_file(directory)
    own_painter = models.painter is None
    own_writer = models.writer is None
    painter_defaults = file.painter_defaults.model_dump() if own_painter else {}
    writer_defaults = file.writer_defaults.model_dump() if own_writer else {}
    prompts = _part(directory, "prompts", file.prompts) if own_writer and file.prompts else None
    if config.writer.prompts is not None:
        prompts = config.writer.prompts
        if not Path(prompts).is_dir():
            raise InputError(
                f"writer.prompts = {prompts!r} is no directory: name one that holds meta-prompts."
            )
    return Pack(
        name=file.name,
        painter=models.painter or _part(directory, "painter", file.painter),
        scorer=models.scorer or _part(directory, "scorer", file.scorer),
        writer=models.writer or _part(directory, "writer", file.writer),
        prompts=Path(prompts) if prompts else None,
        painter_settings=_laid_over(
            painter_defaults, config.painter, ("steps", "guidance", "width", "height")
        ),
        writer_settings=_laid_over(writer_defaults, config.writer, ("context", "temperature")),
    )


def read_pack_file(directory: Path) -> PackFile:
    """Read ``pack.toml``.

    Raises:
        InputError: it is missing, unreadable or says something unknown.
    """
    path = directory / "pack.toml"
    try:
        values = tomllib.loads(path.read_text("utf-8"))
        return PackFile.model_validate(values)
    except OSError as error:
        raise InputError(
            f"Model pack {str(directory)!r} cannot be used: its pack.toml cannot be read "
            f"({error.strerror or error}); name a pack's directory, or set all three roles in [models]."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{str(path)!r} is not valid TOML: {error}.") from error
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in fault["loc"])
        raise InputError(f"{str(path)!r} cannot be used: {key}: {fault['msg']}.") from error


def _part(directory: Path, role: str, entry: str) -> str:
    if entry.startswith(DRAWING):
        return entry
    path = directory / Path(entry).expanduser()
    if path.exists():
        return str(path)
    if role == "painter" and "/" in entry:
        return entry  # a repo id: the painter looks for it in the local cache
    raise InputError(f"Model pack {str(directory)!r} lacks its {role} {entry!r}: copy the whole pack again.")


def _laid_over(
    defaults: Mapping[str, Setting], section: BaseModel, keys: tuple[str, ...]
) -> dict[str, Setting]:
    given = {key: getattr(section, key) for key in keys}
    return {key: value if value is not None else defaults.get(key) for key, value in given.items()}
