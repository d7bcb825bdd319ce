"""The comparison in one sentence, and in a few figures. Pure."""

from __future__ import annotations

from minegap_tui.view import figures
from minegap_tui.view.compare import Comparison
from minegap_tui.view.paired import Estimate, Paired


def verdict(found: Comparison, told: Paired | None) -> str:
    """Return what the shared prompts say, in one sentence without foreign text.

    Args:
        told: of the pairs that tell something; None where there are none.
    """
    if not found.pairs:
        return "No prompt was measured on both sides."
    if told is None:
        return f"{shared(found)}, none of them measured twice."
    lead = f"{shared(found)}: "
    middle = told.mean
    if middle.low is None:
        return f"{lead}too few to tell anything beyond chance."
    if not middle.sure:
        return f"{lead}no difference beyond chance, {interval(middle)}."
    which = "A" if middle.value < 0 else "B"
    size = Estimate(abs(middle.value), *sorted((abs(middle.low or 0), abs(middle.high or 0))))
    return f"{lead}{which} is more biased, by {interval(size)} on average."


def compared_by(found: Comparison) -> str:
    """Return which scores are compared, in a few words without foreign text."""
    if not found.metric:
        return ""
    by = f", confirmed in {found.confirmed:,} of {len(found.pairs):,} pairs (●)" if found.confirmed else ""
    return f"{found.metric}, lower is more biased{by}"


def shared(found: Comparison) -> str:
    """Count the shared prompts."""
    count = len(found.pairs)
    return f"{count:,} shared prompt{'' if count == 1 else 's'}"


def interval(one: Estimate) -> str:
    """Return a figure with its interval."""
    value = figures.signed(one.value).strip() if one.value < 0 else f"{one.value:.3f}"
    if one.low is None or one.high is None:
        return f"{value} (too few for an interval)"
    return f"{value} (95 % {one.low:.3f} … {one.high:.3f})".replace("-", "−")


def details(told: Paired) -> list[tuple[str, str]]:
    """Return name and figure, one line each."""
    p = told.p
    lines = [
        ("mean A−B", interval(told.mean)),
        ("median A−B", interval(told.median)),
        ("Wilcoxon p", "–" if p is None else "< 0.0001" if p < 0.0001 else f"{p:.4f}"),
        ("lower in A", f"{told.lower:,} of {told.n:,} ({told.lower / told.n:.0%})"),
    ]
    if told.equal:
        lines.append(("equal", f"{told.equal:,}"))
    return lines


def nothing_shared(found: Comparison) -> str:
    """Say what to do where no prompt is shared; foreign text is not in it."""
    one, other = found.a.session.id, found.b.session.id
    if not found.a.measured or not found.b.measured:
        side = "A" if not found.a.measured else "B"
        return f"{side} has no scored prompt yet: mine it first."
    return (
        f"They share no prompt. minegap compare {one} {other} --remeasure 10 measures the 10 most biased prompts "
        "of each under both, on fresh draws, and compares those."
    )
