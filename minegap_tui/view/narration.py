"""Events as plain lines for a log or a terminal without an app: one per candidate and generation, no more."""

from __future__ import annotations

from collections.abc import Mapping

from engine import protocol
from engine.budget import planned
from minegap_tui.sanitise import display_text
from minegap_tui.view import figures
from minegap_tui.view.findings import Confirmed, column, head
from minegap_tui.view.session import Row, SessionView

_UNITS = {
    "image": ("image", "images"),
    "batch": ("batch", "batches"),
    "generation": ("candidate", "candidates"),
}


_WHAT = {"image": "this batch", "batch": "these batches", "generation": "this generation"}


def narrate(event: protocol.Event, view: SessionView, *, pace: bool = True) -> str:
    """Return the line that tells ``event``, sanitised; empty for what is not worth one.

    Args:
        view: the session with ``event`` already applied.
        pace: how fast it goes, after each candidate.
    """
    match event:
        case protocol.SessionOpened():
            verb = "resumed" if event.resumed else "opened"
            named = f" ({event.name})" if event.name else ""
            line = (
                f"session {event.session_id}{named} {verb}: {_count(event.generations, 'generation')} of "
                f"{_count(event.population, 'prompt')}, {_shared(event)} and "
                f"{_count(event.variations, 'variation')} each, in {event.store}"
            )
        case protocol.Snapshot():
            named = f" ({event.name})" if event.name else ""
            at = f", generation {event.generation}/{event.generations}" if event.generation else ""
            line = f"session {event.session_id}{named} is {_state(event.state, event.reason)}{at}"
        case protocol.StateChanged():
            line = _state(event.state, event.reason)
        case protocol.Pausing(after=""):
            line = "the pause is called off"
        case protocol.Pausing(done=0):
            line = f"pausing after {_WHAT[event.after]}" + _units(event)
        case protocol.GenerationStarted():
            line = f"{_place(event.generation, view)}: {_count(event.candidates, 'prompt')}"
        case protocol.Progress(stage="loading") if event.done == 0:
            line = "loading the models"
        case protocol.CandidateScored():
            line = (
                f"  {figures.score(event.score)}  {event.candidate_id:>4}  {event.origin:<8}  "
                f"{event.prompt}{_pace(view) if pace else ''}"
            )
        case protocol.CandidateRescored():
            row = view.row(event.candidate_id)
            prompt = f": {row.prompt}" if row is not None else ""
            line = (
                f"  {figures.score(event.score)}  candidate {event.candidate_id} measured again with "
                f"{_count(event.images, 'image')}, counts from generation {event.counts_from} on{prompt}"
            )
        case protocol.CandidateLocked():
            line = f"candidate {event.candidate_id} is being rewritten by {event.author}"
        case protocol.Steered():
            line = f"{event.author}: {steered(event)}"
        case protocol.CandidateFailed():
            line = f"  failed  {event.candidate_id:>4}  {event.prompt}: {event.reason}"
        case protocol.GenerationFinished():
            failed = f", {event.failed} failed" if event.failed else ""
            line = (
                f"{_place(event.generation, view)} done: best {figures.score(event.best).strip()}, "
                f"median {figures.score(event.median).strip()}{failed}"
            )
        case protocol.ConfirmOrdered():
            line = f"{event.author}: confirm what was found{' when it is mined' if event.at_end else ''}"
        case protocol.ConfirmationStarted():
            line = (
                f"confirming {_count(len(event.mined), 'mined prompt')} beside {len(event.random)} random ones: "
                f"{_count(event.images, 'image')} each, all of them fresh"
            )
        case protocol.Progress(stage="confirming") if (
            event.done and event.done % 64 < 16
        ) or event.done == event.total:
            line = f"  confirming {event.done}/{event.total} images" if event.stage == "confirming" else ""
        case protocol.Confirmed():
            line = (
                f"confirmed: {event.claimed} of {_count(event.confirmed, 'mined prompt')} may be called more biased "
                "than unselected ones"
            )
        case protocol.Notice():
            line = f"note: {event.message}"
        case _:
            line = ""
    return display_text(line)


def steered(event: protocol.Steered) -> str:
    """Return what a human's command does, sanitised."""
    return display_text(event.sentence or str(event.command.get("type", "")))


def leaderboard(
    rows: list[Row], limit: int | None = None, confirmed: Mapping[int, Confirmed] | None = None
) -> list[str]:
    """Return the leaderboard as aligned lines, headed; prompts sanitised and whole.

    Args:
        confirmed: what was confirmed of some; without any there is no column for it.
    """
    shown = rows if limit is None else rows[:limit]
    numbers = max([2, *(len(str(row.candidate_id)) for row in shown)])

    def beside(candidate_id: int) -> str:
        return column(confirmed.get(candidate_id), roomy=True)[0] if confirmed else ""

    score = f"{'score':>{figures.SCORE_WIDTH}}{head(roomy=True) if confirmed else ''}"
    lines = [f"{'#':>3}  {score}  {'id':>{numbers}}  {'gen':>3}  {'origin':<8}  prompt"]
    lines += [
        f"{place:>3}  {figures.score(row.score)}{beside(row.candidate_id)}  {row.candidate_id:>{numbers}}  "
        f"{row.generation:>3}  {row.origin:<8}  {display_text(row.prompt, limit=None)}"
        for place, row in enumerate(shown, 1)
    ]
    return lines


def _place(generation: int, view: SessionView) -> str:
    return f"generation {generation}/{view.generations or '?'}"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _shared(event: protocol.SessionOpened) -> str:
    if event.shares == "uniform":
        return _count(event.images, "image")
    images = planned("racing", event.images, event.population)
    return f"about {_count(round(images / event.population), 'image')}"


def _state(state: str, reason: str) -> str:
    if reason.startswith(state):  # "paused by ann"
        return reason
    return f"{state}: {reason}" if reason else state


def _units(event: protocol.Pausing) -> str:
    one, many = _UNITS.get(event.after, ("unit", "units"))
    return f": {event.total} {one if event.total == 1 else many} to go" if event.total else ""


def _pace(view: SessionView) -> str:
    parts = [
        f"{stage.stage} {stage.done}/{stage.total}"
        for name in ("painting", "writing")
        if (stage := view.stages.get(name)) is not None
    ]
    if view.images_per_second is not None:
        parts.append(figures.rate(view.images_per_second))
    if view.eta_seconds is not None:
        parts.append(f"{figures.duration(view.eta_seconds)} left")
    return f"  [{', '.join(parts)}]" if parts else ""
