"""A candidate's scores in words: what each measures, which one ranks, and what a confirmation made of it."""

from __future__ import annotations

from minegap_tui.sanitise import display_text, fit
from minegap_tui.view import figures
from minegap_tui.view.evidence import Evidence
from minegap_tui.view.flow import Piece, flow
from store.records import Finding

MEANINGS = {
    "information": "how much an image tells which variation it shows; 0: all images say the same",
    "entropy": "how evenly the images spread over the variations; 0: all show one",
    "centred": "how well the least covered variations are shown, beside this prompt's own level",
    "paper": "low coverage and low alignment, as published (reconstructed)",
    "spread": "how far images agree on the variations, whatever their number; 0: they all do",
    "red": "how much red outshines the other colours, negative",
    "green": "how much green outshines the other colours, negative",
    "blue": "how much blue outshines the other colours, negative",
}
_INDENT = 26


def score_lines(evidence: Evidence, width: int) -> list[list[Piece]]:
    """Return the lines of every score, the one that ranks first, and what the measurement rests on."""
    lines: list[list[Piece]] = []
    for name, value in sorted(evidence.scores, key=lambda one: one[0] != evidence.score_name):
        ranks = name == evidence.score_name
        lead: list[Piece] = [
            (figures.score(value), "accent" if ranks else ""),
            (f"  {fit(name, 12)}", "strong" if ranks else "muted"),
            ("ranks " if ranks else "      ", "accent"),
        ]
        meaning = MEANINGS.get(name, "")
        told = flow([(meaning, "muted" if ranks else "faint")], max(width - _INDENT, 20), most=3)
        lines.append([*lead, *told[0]])
        lines += [[(" " * _INDENT, ""), *line] for line in told[1:]]
    lines += _confirmed(evidence.finding, width)
    if evidence.variations:
        times = f", measured {evidence.measurements} times" if evidence.measurements > 1 else ""
        rests = f"from {len(evidence.variations)} variations × {len(evidence.pictures)} images{times}"
        lines.append([(" " * 8, ""), (rests, "faint")])
    for place, (generation, prompt) in enumerate(evidence.parents[:3]):
        word = "from" if place == 0 else "before"
        lines.append([(f" {word:<7}", "faint"), (fit(display_text(prompt), max(width - 24, 1)), "muted")])
        lines[-1].append((f" generation {generation}", "faint"))
    return lines


def _confirmed(found: Finding | None, width: int) -> list[list[Piece]]:
    if found is None:
        said = "not confirmed: the search saw this score once, and picked it for being low"
        return [[(" " * 8, ""), *line] for line in flow([(said, "faint")], max(width - 8, 20), most=2)]
    claim = (
        "biased, on fresh images and variations"
        if found.claimed
        else "not confirmed as more biased than other prompts"
    )
    if found.role == "random":
        claim = "drawn to compare with, not claimed"
    interval = f"95 % interval {found.low:.3f} to {found.high:.3f}"
    said = f"{claim}; {interval}, expected {found.shrunk:.3f}, {found.images} images"
    told = flow([(said, "muted")], max(width - _INDENT, 20), most=3)
    return [
        [
            (figures.score(found.score), "strong"),
            ("  confirmed         ", "accent" if found.claimed else "muted"),
            *told[0],
        ],
        *([(" " * _INDENT, ""), *line] for line in told[1:]),
    ]
