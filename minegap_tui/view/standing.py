"""How a session stands, in words: its state, what went wrong and what helps, and why an action is not offered."""

from __future__ import annotations

from dataclasses import dataclass

from engine import protocol
from minegap_tui.view.session import Row, SessionView
from minegap_tui.view.steering import FINAL_STATES

SILENCE_SECONDS = 12.0
"""An engine says something every 2 s; one that says nothing for so long is called silent."""

_UNITS = {"image": "images", "batch": "batches", "generation": "candidates"}
_WHAT = {"image": "this batch", "batch": "these batches", "generation": "this generation"}


@dataclass(frozen=True)
class Trouble:
    """What stopped the session and what helps; both hold foreign text that is not safe to print."""

    title: str
    sentence: str
    remedy: str


def standing(view: SessionView, silent: float) -> str:
    """Return the state in a few words; ``silent``: for how many seconds the engine said nothing."""
    if view.gone:
        return "engine gone"
    if view.running and silent >= SILENCE_SECONDS:
        return f"engine silent for {silent:.0f} s"
    if view.state in {"mining", "paused"} and view.pausing is not None and view.pausing.after:
        return _pausing(view.pausing)
    match view.state:
        case "mining" if "confirming" in view.stages:
            return "confirming"
        case "queued":
            return f"queued ({view.reason})" if view.reason else "queued"
        case "paused" if view.exit_code:
            return "paused by a fault"
        case "stopping":
            return "stopping after this batch"
        case "interrupted":
            return "stopped, can be resumed"
    return view.state


def word_for(action: str, view: SessionView) -> str:
    """Return what an action's key does at present, where that changes; empty where its usual word says it.

    Args:
        action: its id in the registry.
    """
    if action == "session.pause":
        if view.state == "paused":
            return "resume"
        return "no pause" if view.pausing is not None and view.pausing.after else ""
    if action == "app.detach" and not (view.running and view.session_id):
        return "quit"
    return ""


def trouble(view: SessionView) -> Trouble | None:
    """Return what a person has to know and do before mining goes on; None when it goes on by itself."""
    if view.gone:
        return Trouble(
            "Engine gone",
            view.gone,
            "Everything mined is stored. R starts an engine and resumes; q leaves.",
        )
    if view.failure is not None:
        return Trouble("Failed", view.failure.sentence, "Everything mined is stored; q leaves.")
    if view.state == "paused" and view.exit_code:
        return Trouble(
            "Paused by a fault",
            view.reason,
            "Everything mined is stored. p goes on from here; Q stops.",
        )
    return None


def why_not(action: str, view: SessionView, row: Row | None, *, attached: bool) -> str:
    """Return why a steering action cannot be done now; empty when it can.

    Args:
        action: its name in the registry (``pause``, ``edit`` ...).
        row: the selected candidate.
        attached: whether an engine hears us.
    """
    if action == "record":
        return "" if view.session_id else "There is no session yet."
    if action == "resume":
        return _why_not_resume(view)
    if action == "confirm":
        if "confirming" in view.stages:
            return "The session is being confirmed already: wait until that is done."
        return why_not_confirm(view.state, view.scored)
    if view.gone:
        return "The engine is gone: R starts one and resumes."
    if view.state in FINAL_STATES:
        helps = "fork it to go on" if view.state == "finished" else "R resumes it"
        return f"The session is {view.state}: {helps}."
    if not attached:
        return "No engine is connected yet: wait for it."
    if view.state == "stopping" and action != "stop":
        return "The session is stopping: resume it afterwards."
    if view.state == "queued" and action != "stop":
        return "The session is queued: it can be steered as soon as it is mined."
    return _why_not_candidate(action, view, row)


def why_not_confirm(state: str, scored: int) -> str:
    """Return why a session cannot be confirmed; empty when it can, at once or when it is mined.

    Args:
        state: of the session.
        scored: how many candidates have a score.
    """
    if state == "queued":
        return "The session is queued: it can be confirmed as soon as it is mined."
    if state == "stopping":
        return "The session is stopping: confirm it when it has stopped."
    return "" if scored else "No candidate has a score yet: there is nothing to confirm."


def _why_not_resume(view: SessionView) -> str:
    if view.gone or view.state in {"interrupted", "failed"}:
        return ""
    if view.state == "finished":
        return "The session is finished: fork it to go on."
    return "The engine runs: there is nothing to resume (p ends a pause)."


def _why_not_candidate(action: str, view: SessionView, row: Row | None) -> str:
    if action in {"edit", "pin", "rescore"} and row is None:
        return "No candidate is selected: wait for the first score."
    if action == "edit" and row is not None and row.candidate_id in view.hand.locks:
        return f"{view.hand.locks[row.candidate_id]} is rewriting this candidate: wait for it."
    if action == "knobs" and not view.hand.knobs:
        return "The engine has not said its settings yet: wait for it."
    if action == "undo" and view.hand.undoable(view.generation) is None:
        return "There is nothing to undo: every command has had its effect."
    return ""


def _pausing(asked: protocol.Pausing) -> str:
    progress = f" ({asked.done} of {asked.total} {_UNITS[asked.after]})" if asked.total else ""
    return f"pausing after {_WHAT[asked.after]}{progress}"
