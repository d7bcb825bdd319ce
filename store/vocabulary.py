"""The words that columns hold, and the one kind of array."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FloatArray: TypeAlias = "NDArray[np.float32]"

SessionState: TypeAlias = Literal[
    "queued", "mining", "paused", "stopping", "finished", "interrupted", "failed"
]
"""``queued``: waits for its turn, in no process's hands, so that any engine may begin it or go on with it.
``interrupted``: stopped before its end, by the user or by an engine's death; it can be resumed."""

CandidateState: TypeAlias = Literal["waiting", "scored", "failed"]
"""``failed``: no score could be had (for example: the writer found no variations); the reason says why."""

Origin: TypeAlias = Literal["initial", "random", "mutation", "elite", "human"]
"""How a candidate came to be. ``elite``: a survivor measured anew on new seeds, child of its former self."""

WritingKind: TypeAlias = Literal["variations", "mutations", "random"]

Purpose: TypeAlias = Literal["search", "rank", "confirm", "ceiling"]
"""``search``: what the GA saw; ``rank``: a second draw, which decides what is claimed; ``confirm``: a third one, the
only scores that are findings; ``ceiling``: the missed concepts drawn outright. No two share a seed."""

Role: TypeAlias = Literal["mined", "random"]
"""Why a candidate is confirmed: the search found it, or it is an unselected prompt to compare with."""

Verdict: TypeAlias = Literal["missed", "unreachable", "contradictory"]
"""What drawing a missed concept outright says. ``missed``: the model can draw it and CLIP can see it, so it is missing.
``unreachable``: asked outright it is shown no better, so the model cannot draw it or CLIP cannot see it.
``contradictory``: what is drawn no longer fits the prompt. Only the first is bias."""


AUTOMATIC = "end-of-mining"
"""In the place of a command's id: a confirmation that nobody ordered, at the end of mining."""
