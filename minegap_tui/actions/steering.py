"""What steers a session: offered wherever a session is seen."""

from __future__ import annotations

from minegap_tui.actions.action import Action, copies, steer

ACTIONS: tuple[Action, ...] = (
    steer("pause", "p", "pause", "Pause after the batch that is being drawn, or go on."),
    steer(
        "pause_after",
        "P",
        "pause after …",
        "Choose what to pause after: batch, all batches, generation.",
        footer=False,
    ),
    Action(
        "app.steer('resume')",
        ("R",),
        "R",
        "resume",
        "Start an engine and go on, when it is gone or the session was stopped.",
        "session",
        fleeting=True,
    ),
    steer("edit", "e", "edit", "Rewrite the selected prompt; it enters a coming generation as a child."),
    steer("inject", "i", "inject", "Put prompts of your own into the coming generations."),
    steer(
        "pin",
        "asterisk",
        "pin",
        "Pin the selected candidate (it survives, measured again), or unpin it.",
        shown="*",
    ),
    steer("ban", "b", "ban", "Keep a prompt, a word or a lineage out, or lift that."),
    steer("undo", "u", "undo", "Withdraw the last steering command that has no effect yet."),
    steer("rescore", "r", "rescore", "Measure the selected candidate again with more images, now."),
    steer("knobs", "K", "knobs", "Change the settings of the generations to come."),
    steer("step", "s", "step", "Mine one generation, then pause."),
    steer(
        "confirm",
        "F",
        "confirm",
        "Measure the most biased prompts again by fresh draws: only that makes them findings.",
    ),
    steer("record", "L", "record", "See who did what, when, and from when on it counts."),
    Action(
        "app.images",
        ("I",),
        "I",
        "images",
        "Draw images in full where the terminal can, in half-blocks, or not at all, in turn.",
        "session",
        footer=False,
    ),
    *copies("session"),
    steer("stop", "Q", "stop", "Stop mining, after a question; everything is kept."),
)
