"""Keep a prompt, a word or a lineage out, and lift what was banned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from engine.commands import Banned
from engine.genetic import normalise
from engine.protocol import BanEntry
from minegap_tui.screens.dialog import Dialog
from minegap_tui.view.session import Row
from minegap_tui.view.steering import describe_ban
from minegap_tui.widgets.choices import Choice, Choices
from minegap_tui.widgets.prompt_area import PromptArea


@dataclass(frozen=True)
class BanOrder:
    """What to ban, or with ``lift`` what not to ban any longer."""

    what: Banned
    text: str = ""
    candidate_id: int | None = None
    lift: bool = False


class BanScreen(Dialog[BanOrder]):
    """Offers what the selected candidate gives reason to ban, any other word, and the bans in force.

    Args:
        row: the selected candidate, if there is one.
        bans: those in force.
        prompts: prompts of known candidates, to name lineages by.
    """

    heading = "Ban"
    keys = (("⏎", "bans or lifts"), ("tab", "another word"), ("esc", "cancels"))

    def __init__(self, row: Row | None, bans: Sequence[BanEntry], prompts: dict[int, str]) -> None:
        super().__init__()
        self._choices: list[Choice] = []
        if row is not None:
            self._choices += [
                Choice("keep out, from the next generation that is bred:"),
                Choice(f"this prompt: “{row.prompt}”", "", BanOrder("prompt", row.prompt)),
                Choice("its whole lineage: all that share its oldest ancestor", "", _lineage(row)),
            ]
            words = dict.fromkeys(normalise(row.prompt).split())
            self._choices += [Choice(f"the word “{word}”", "", BanOrder("word", word)) for word in words]
        self._choices.append(Choice("in force, to lift:" if bans else "no ban is in force"))
        self._choices += [Choice(describe_ban(ban, prompts), "lift", _lifted(ban)) for ban in bans]

    def body(self) -> ComposeResult:
        """Lay out the choices and the field for another word."""
        yield Choices(self._choices)
        with Horizontal(classes="field gap"):
            yield Static("another word", classes="name")
            yield PromptArea(wrap=False, id="word")

    def on_mount(self) -> None:
        """Begin in the list."""
        self.query_one(Choices).focus()

    @on(Choices.Chosen)
    def _chosen(self, message: Choices.Chosen) -> None:
        if isinstance(message.value, BanOrder):
            self.dismiss(message.value)

    @on(PromptArea.Submitted)
    def _word(self) -> None:
        words = normalise(self.query_one(PromptArea).exact).split()
        if len(words) == 1:
            self.dismiss(BanOrder("word", words[0]))
        else:
            self.say("That is not one word: write one, without spaces.")


def _lineage(row: Row) -> BanOrder:
    return BanOrder("lineage", candidate_id=row.candidate_id)


def _lifted(ban: BanEntry) -> BanOrder:
    what: Banned = "lineage" if ban.what == "lineage" else "word" if ban.what == "word" else "prompt"
    return BanOrder(what, ban.text, ban.candidate_id, lift=True)
