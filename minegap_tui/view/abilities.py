"""What the probe of the terminal came to, in one sentence for ``doctor`` and for reports of faults."""

from __future__ import annotations

from minegap_tui.probe import Terminal
from minegap_tui.settings import ImagesSection

_HALF = "images are drawn in half-blocks"


def image_report(settings: ImagesSection, terminal: Terminal) -> tuple[bool, str]:
    """Return whether all is as the user wants it, and a sentence. Foreign text in it is not safe to print."""
    facts = _facts(terminal)
    if settings.protocol == "off":
        return True, "Images are not drawn: images.protocol is 'off'."
    if settings.protocol == "half":
        return True, f"{_capital(_HALF)}: images.protocol is 'half'."
    if settings.protocol == "sixel" and not (terminal.sixel and not terminal.multiplexer):
        around = (
            "through a multiplexer that must pass them on"
            if terminal.multiplexer
            else ("though this terminal did not say that it draws them")
        )
        return bool(terminal.multiplexer), f"Images are painted as sixels, {around}{facts}."
    if settings.protocol == "kitty" and not terminal.placeholders:
        through = (
            "through tmux, which must 'set -g allow-passthrough on'"
            if terminal.multiplexer == "tmux"
            else "though this terminal did not say that it draws them as text"
        )
        return terminal.multiplexer == "tmux", f"Images are sent as kitty graphics, {through}{facts}."
    if terminal.placeholders and settings.protocol != "sixel":
        return True, f"Images are drawn in full, by kitty graphics{facts}."
    if terminal.sixel and not terminal.multiplexer:
        return True, f"Images are drawn by sixels in the gallery and its viewer, else in half-blocks{facts}."
    if terminal.multiplexer == "tmux":
        return True, (
            f"{_capital(_HALF)}: tmux hides what the terminal can draw{facts}; in kitty or Ghostty, run "
            "'tmux set -g allow-passthrough on' and set MINEGAP_UI_IMAGES_PROTOCOL=kitty for full ones."
        )
    if not terminal.asked:
        why = f" ({terminal.reason})" if terminal.reason else ""
        return True, f"The terminal was not asked what it draws{why}: {_HALF}."
    if not terminal.answered:
        return False, (
            f"The terminal did not answer within {terminal.seconds:.1f} s what it draws: {_HALF}; if it draws full "
            "ones, set MINEGAP_UI_IMAGES_PROTOCOL to kitty or sixel."
        )
    return True, f"{_capital(_HALF)}: this terminal draws neither kitty graphics as text nor sixel{facts}."


def _facts(terminal: Terminal) -> str:
    if not terminal.answered:
        return ""
    cell = (
        f"{terminal.cell[0]}×{terminal.cell[1]} pixels a cell" if terminal.cell else "cells of unknown size"
    )
    known = [
        terminal.name or "a terminal without a name",
        f"kitty graphics {'yes' if terminal.kitty else 'no'}",
        f"sixel {_sixel(terminal)}",
        cell,
        f"24-bit colours {'yes' if terminal.truecolor else 'unknown'}",
        f"answered in {terminal.seconds * 1000:.0f} ms",
    ]
    return f" ({', '.join(known)})"


def _sixel(terminal: Terminal) -> str:
    if not terminal.sixel:
        return "no"
    return f"yes, {terminal.registers} colours" if terminal.registers is not None else "yes"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
