"""Settings that Textual reads once, at its import: call ``prepare`` before importing the app."""

from __future__ import annotations

import os


def prepare() -> None:
    """Choose calm defaults, calmer still over SSH; what the user has set in the environment stays."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    if "SSH_CONNECTION" in os.environ:
        os.environ.setdefault("TEXTUAL_FPS", "20")
        os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
