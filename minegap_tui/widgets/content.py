"""Foreign text as Textual content."""

from __future__ import annotations

from textual.content import Content

from minegap_tui.sanitise import display_text


def as_content(text: str, style: str = "") -> Content:
    """Return foreign text for a Textual widget; brackets in it are never read as markup."""
    return Content.styled(display_text(text), style) if style else Content(display_text(text))
