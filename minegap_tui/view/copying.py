"""What ``y`` and ``Y`` put on the clipboard: the exact prompt, and all that is needed to draw its images again."""

from __future__ import annotations

from minegap_tui.view.evidence import Evidence
from store.records import Finding


def prompt_of(found: Evidence) -> str:
    """Return the prompt exactly as it is stored."""
    return found.prompt


def block_of(found: Evidence) -> str:
    """Return the prompt, exactly, and below it score, place, seeds and what its images leave out."""
    scored = f"{found.score_name} {found.score:.6g} (search)" if found.score is not None else "none yet"
    lines = [
        found.prompt,
        "",
        f"score:      {scored}",
        *_confirmed(found.finding),
        f"candidate:  {found.candidate_id}, generation {found.generation}, {found.origin}",
        f"session:    {found.session_id}",
    ]
    if found.pictures:
        lines.append(f"seeds:      {' '.join(str(picture.seed) for picture in found.pictures)}")
    lines += [f"missed:     {line.text}" for line in found.variations if line.missed]
    return "\n".join(lines) + "\n"


def _confirmed(found: Finding | None) -> list[str]:
    if found is None:
        return []
    claim = "a finding" if found.claimed else "not confirmed as biased"
    return [f"confirmed:  {found.score:.6g} (95 % {found.low:.6g} to {found.high:.6g}, {claim})"]
