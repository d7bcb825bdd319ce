"""What sets two sides of a comparison apart, and what forbids comparing their scores. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from engine.commands import SetKnobs
from minegap_tui.view.compare import Comparison, Side
from minegap_tui.view.record import steering
from store.records import Event, Session

ROLES = ("painter", "scorer", "writer")
MISSING = "–"
_SHORT = 16
_HARMLESS = frozenset(
    {
        "session.name",
        "models.pack",
        "models.painter",
        "models.scorer",
        "models.writer",
        "painter.batch_size",
        "painter.device",
        "painter.allow_cpu_offload",
        "scorer.device",
        "writer.gpu_layers",
        "writer.threads",
        "search.generations",
    }
)
"""Settings that change no score: where and how fast it runs, for how long, and names (fingerprints tell models)."""
_HARMLESS_SECTIONS = frozenset({"store", "workers"})
_BY_PERCENTILE = frozenset({"paper", "centred"})
"""Scores that α is part of; the others only name missed concepts by it."""
_CHOSEN = frozenset({"human", "initial"})


@dataclass(frozen=True)
class Difference:
    """One thing in which the sides differ; the values are not safe to print."""

    what: str
    a: str
    b: str


@dataclass(frozen=True)
class Caution:
    """A sentence on what the figures do not say; ``forbids``: comparing the scores means nothing."""

    sentence: str
    forbids: bool = False


def differences(a: Side, b: Side) -> list[Difference]:
    """Return what sets the sides apart in what was measured: models first, then settings by name."""
    found = [
        Difference(role, *_told_apart(a.session, b.session, role))
        for role in ROLES
        if fingerprints(a.sessions, role) != fingerprints(b.sessions, role)
    ]
    settings_a, settings_b = _settings(a), _settings(b)
    for name in sorted({*settings_a, *settings_b}, key=_order):
        one, other = settings_a.get(name, MISSING), settings_b.get(name, MISSING)
        if one != other:
            found.append(Difference(name.removeprefix("search.").removeprefix("session."), one, other))
    return found


def cautions(found: Comparison) -> list[Caution]:
    """Return what a reader of the figures has to know, the gravest first."""
    a, b = found.a, found.b
    said = []
    if not found.metrics and a.measured and b.measured:
        said.append(
            Caution(
                f"A was ranked by {_ranking(a)} and B by {_ranking(b)}: no score was computed on both sides, so that "
                "nothing can be compared.",
                forbids=True,
            )
        )
    if found.pairs and (a.confirmed or b.confirmed):
        said.append(Caution(_which_scores(found)))
    if _alike(a, b, "scorer") is False:
        said.append(
            Caution(
                "The scorers differ: a score means something only beside others by the same scorer, so the differences "
                "say nothing about the painters.",
                forbids=True,
            )
        )
    if _alike(a, b, "writer") is False:
        said.append(
            Caution(
                "The writers differ: the images were held against other variations, which moves scores too."
            )
        )
    if _asked(a) != _asked(b):
        said.append(
            Caution("The writers were asked for other variations (axis, theme), which moves scores too.")
        )
    said += _unlike_measurements(found)
    if found.metrics and _ranking(a) != _ranking(b):
        said.append(
            Caution(
                f"A was mined for low {_ranking(a)}, B for low {_ranking(b)}; compared is {found.metric}."
            )
        )
    if found.pairs and found.same == len(found.pairs):
        said.append(
            Caution("All shared prompts are one and the same measurement on both sides: they tell nothing.")
        )
    elif found.same:
        said.append(
            Caution(
                f"{found.same:,} of the {len(found.pairs):,} shared prompts are one and the same measurement on both "
                "sides (same draws, or a fork's beginning) and are left out of the figures."
            )
        )
    if _alike(a, b, "painter"):
        said.append(Caution("The painter is the same on both sides: what differs is settings and chance."))
    if chosen := sum((pair.a.origin in _CHOSEN) != (pair.b.origin in _CHOSEN) for pair in found.pairs):
        said.append(
            Caution(
                f"{chosen:,} shared prompts were put by hand into one side only: if they were chosen for their low "
                "scores in the other one, that one looks more biased than it is (--remeasure measures them anew)."
            )
        )
    if found.reworded:
        said.append(Caution(f"{found.reworded:,} pairs (≈) differ in case, spaces or punctuation."))
    return said


def _which_scores(found: Comparison) -> str:
    confirmed, count = found.confirmed, len(found.pairs)
    if confirmed == count:
        return "Confirmed scores are compared (●)."
    if not confirmed:
        return (
            "Search scores are compared: no shared prompt was confirmed on both sides (F confirms a session)."
        )
    return (
        f"Confirmed scores are compared where both sides have them (●, {confirmed:,} of {count:,}), else search "
        "scores, which are too low where the search selected them."
    )


def turned(side: Side, events: Callable[[str], Iterable[Event]]) -> list[str]:
    """Return the settings that were changed while a side was mined; not safe to print."""
    found = []
    for session in side.sessions:
        for entry in steering(events(session.id)):
            if isinstance(entry.command, SetKnobs):
                knobs = ", ".join(f"{name} = {value}" for name, value in entry.command.knobs.items())
                found.append(f"{knobs} from generation {entry.generation} on")
    return found


def fingerprints(sessions: Iterable[Session], role: str) -> frozenset[str]:
    """Return the fingerprints of a role's models; empty where none was ever loaded."""
    return frozenset(str(found) for session in sessions if (found := _object(session.models_json).get(role)))


def model(session: Session, role: str) -> str:
    """Return a role's model for people: its name and the beginning of its fingerprint; not safe to print."""
    mark = str(_object(session.models_json).get(role) or "")
    parts = [_named(session, role), mark if len(mark) <= _SHORT else f"{mark[:_SHORT]}…"]
    return " ".join(part for part in parts if part) or MISSING


def _named(session: Session, role: str) -> str:
    models = _section(_object(session.config_json), "models")
    return str(models.get(role) or models.get("pack") or "").rstrip("/").rsplit("/", 1)[-1]


def _told_apart(a: Session, b: Session, role: str) -> tuple[str, str]:
    """Both models by their names, and where these are the same by their fingerprints too."""
    one, other = _named(a, role), _named(b, role)
    return (one, other) if one and other and one != other else (model(a, role), model(b, role))


def _unlike_measurements(found: Comparison) -> list[Caution]:
    said = []
    told = [pair for pair in found.pairs if not pair.same]
    images = sum(pair.a.images != pair.b.images for pair in told)
    variations = sum(pair.a.variations != pair.b.variations for pair in told)
    for count, what in ((images, "images"), (variations, "variations")):
        if count:
            said.append(
                Caution(
                    f"{count:,} of {len(told):,} pairs rest on different numbers of {what}: the score depends on "
                    "that too."
                )
            )
    if found.metric in _BY_PERCENTILE and _setting(found.a, "alpha") != _setting(found.b, "alpha"):
        said.append(Caution(f"α differs and is part of the score {found.metric}.", forbids=True))
    return said


def _ranking(side: Side) -> str:
    return side.measured[-1].score_name if side.measured else MISSING


def _alike(a: Side, b: Side, role: str) -> bool | None:
    """Whether both sides have the same model; None where one of them never loaded any."""
    one, other = fingerprints(a.sessions, role), fingerprints(b.sessions, role)
    return one == other if one and other else None


def _asked(side: Side) -> tuple[str, str]:
    return _setting(side, "axis"), _setting(side, "theme")


def _setting(side: Side, name: str) -> str:
    return _settings(side).get(f"search.{name}", "")


def _settings(side: Side) -> dict[str, str]:
    """Settings that a score may depend on, as text; several sessions' values beside each other."""
    values: dict[str, dict[str, None]] = {}
    for session in side.sessions:
        for section, settings in _object(session.config_json).items():
            if section in _HARMLESS_SECTIONS or not isinstance(settings, dict):
                continue
            for key, value in settings.items():
                if (name := f"{section}.{key}") not in _HARMLESS:
                    values.setdefault(name, {})[_written(value)] = None
    return {name: " | ".join(sorted(found)) for name, found in values.items()}


def _written(value: Any) -> str:
    if value is None or value == "" or value == []:
        return MISSING
    if isinstance(value, list):
        return f"{len(value)} given"
    return str(value)


def _order(name: str) -> tuple[int, str]:
    sections = ("session", "painter", "scorer", "writer", "search")
    section = name.partition(".")[0]
    return sections.index(section) if section in sections else len(sections), name


def _object(text: str) -> Mapping[str, Any]:
    """A JSON object; empty for whatever is none: an old or foreign session can still be compared."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _section(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}
