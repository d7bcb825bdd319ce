"""The user's hand on the wheel: every steering key becomes a question, a command, and the engine's answer.

Nothing is shown as done before the engine said so. Every dialog is imported when it is opened: the start stays quick.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from engine.client import command_id
from engine.commands import (
    After,
    Ban,
    Command,
    EditBegin,
    EditCancel,
    EditCommit,
    Inject,
    Knob,
    Lift,
    Pause,
    Pin,
    Rescore,
    Resume,
    SetKnobs,
    Step,
    Stop,
    Undo,
    Unpin,
)
from engine.errors import MineGapError
from minegap_tui.commands.follow import resume_hint
from minegap_tui.desk import StoreDesk
from minegap_tui.view.session import Row
from minegap_tui.view.standing import why_not
from minegap_tui.view.steering import Messages

if TYPE_CHECKING:
    from minegap_tui.app import MineApp
    from minegap_tui.screens.ban import BanOrder

STARTING = "starting an engine …"
ASKING = "ask"
"""Group of the workers that wait for an engine's answer."""


class Helm:
    """Carries out the steering actions of one app.

    Args:
        desk: where the record is read.

    Attributes:
        messages: what was asked and what was answered.
        editing: the candidate that is locked for us.
    """

    def __init__(self, app: MineApp, desk: StoreDesk) -> None:
        self.messages = Messages()
        self.editing: int | None = None
        self._app, self._desk = app, desk
        self._actions: dict[str, Callable[[], None]] = {
            "pause": self._pause_or_go_on,
            "pause_after": self._pause_after,
            "step": self._step,
            "edit": self._edit,
            "inject": self._inject,
            "pin": self._pin,
            "ban": self._ban,
            "rescore": self._rescore,
            "knobs": self._knobs,
            "undo": self._undo,
            "record": self._record,
            "resume": self._resume,
            "stop": self._stop,
            "confirm": lambda: self._app.library.confirming.open(self._session),
        }

    def why_not(self, action: str) -> str:
        """Return why an action cannot be done now; empty when it can."""
        app = self._app
        if reason := app.library.why_not():
            return reason
        return why_not(action, app.view, app.selected_row, attached=app.following.attached)

    def do(self, action: str) -> None:
        """Carry out an action of the registry, or say why it cannot be done now."""
        reason = self.why_not(action)
        if reason:
            self.messages.say(reason, refused=True)
            self._app.redraw()
        else:
            self._actions[action]()

    def forget(self) -> None:
        """Another session is on the screen: what was said of the one before is of no interest."""
        self.messages, self.editing = Messages(), None

    def attached(self) -> None:
        """A connection was made: what was locked on the one before is to be locked again."""
        if self.messages.text == STARTING:
            self.messages.say("")
        if self.editing is not None:
            candidate = self.editing
            self._ask_soon(
                "lock the candidate again",
                EditBegin(id=command_id(), session_id=self._session, candidate_id=candidate),
            )

    @property
    def _session(self) -> str:
        return self._app.view.session_id

    def _row(self) -> Row:
        row = self._app.selected_row
        assert row is not None, "why_not lets no action on a candidate through without one"
        return row

    async def _ask(self, what: str, command: Command) -> str:
        """Ask the engine; returns its refusal, empty when it accepted."""
        self.messages.ask(command.id, what)
        self._app.redraw()
        try:
            answer = await self._app.following.ask(command)
        except MineGapError as error:
            self.messages.answer(command.id, str(error), refused=True)
            return str(error)
        else:
            self.messages.answer(command.id, answer.sentence)
            return ""
        finally:
            self._app.redraw()

    def _ask_soon(
        self, what: str, command: Command, after: Callable[[str], Awaitable[None] | None] | None = None
    ) -> None:
        """Ask without waiting; ``after`` gets the refusal, empty when it accepted."""

        async def ask() -> None:
            refusal = await self._ask(what, command)
            if after is not None and (waiting := after(refusal)) is not None:
                await waiting

        self._app.run_worker(ask(), group=ASKING, name=what)

    # ------------------------------------------------------------ the course

    def _pause_or_go_on(self) -> None:
        view = self._app.view
        if view.state == "paused":
            self._ask_soon("go on", Resume(id=command_id(), session_id=self._session))
        elif view.pausing is not None:
            self._ask_soon("mine on, without the pause", Resume(id=command_id(), session_id=self._session))
        else:
            self._ask_soon(
                "pause after this batch", Pause(id=command_id(), session_id=self._session, after="image")
            )

    def _pause_after(self) -> None:
        from minegap_tui.screens.choose import PauseScreen

        def chosen(after: After | None) -> None:
            if after is not None:
                self._ask_soon(
                    f"pause after the {after}", Pause(id=command_id(), session_id=self._session, after=after)
                )

        self._app.push_screen(PauseScreen(), chosen)

    def _step(self) -> None:
        self._ask_soon("mine one generation, then pause", Step(id=command_id(), session_id=self._session))

    def _stop(self) -> None:
        from minegap_tui.screens.choose import StopScreen

        view = self._app.view

        def decided(at_once: bool | None) -> None:
            if at_once is not None:
                self._ask_soon(
                    "stop at once" if at_once else "stop",
                    Stop(id=command_id(), session_id=self._session, at_once=at_once),
                )

        hint = resume_hint(view.session_id, self._app.store)
        self._app.push_screen(StopScreen(stopping=view.state == "stopping", resume_hint=hint), decided)

    def _resume(self) -> None:
        self.messages.say(STARTING, lasting=True)
        self._app.watched.follow(Resume(id=command_id(), session_id=self._session))

    # ------------------------------------------------------------ candidates

    def _edit(self) -> None:
        from minegap_tui.screens.edit import EditScreen

        row = self._row()
        number = row.candidate_id

        async def commit(prompt: str) -> str:
            refusal = await self._ask(
                "edit the prompt",
                EditCommit(id=command_id(), session_id=self._session, candidate_id=number, prompt=prompt),
            )
            if not refusal:
                self.editing = None
            return refusal

        def cancel() -> None:
            self.editing = None
            self._ask_soon(
                "unlock the candidate",
                EditCancel(id=command_id(), session_id=self._session, candidate_id=number),
            )

        def locked(refusal: str) -> None:
            if not refusal:
                self.editing = number
                generation = self._app.view.hand.next_generation
                self._app.push_screen(EditScreen(row, generation, commit, cancel))
            self._app.typed_ahead.arrived()

        self._app.typed_ahead.expect()

        self._ask_soon(
            "lock the candidate",
            EditBegin(id=command_id(), session_id=self._session, candidate_id=number),
            locked,
        )

    def _inject(self) -> None:
        from minegap_tui.screens.inject import InjectScreen

        view = self._app.view

        async def commit(prompts: tuple[str, ...]) -> str:
            return await self._ask(
                f"inject {len(prompts)} prompts",
                Inject(id=command_id(), session_id=self._session, prompts=prompts),
            )

        self._app.push_screen(InjectScreen(view.hand.next_generation, view.population, commit))

    def _pin(self) -> None:
        number = self._row().candidate_id
        if number in self._app.view.hand.pins:
            self._ask_soon(
                "unpin the candidate", Unpin(id=command_id(), session_id=self._session, candidate_id=number)
            )
        else:
            self._ask_soon(
                "pin the candidate", Pin(id=command_id(), session_id=self._session, candidate_id=number)
            )

    def _ban(self) -> None:
        from minegap_tui.screens.ban import BanScreen

        view = self._app.view

        def decided(order: BanOrder | None) -> None:
            if order is not None:
                kind = Lift if order.lift else Ban
                verb = "lift the ban of" if order.lift else "ban"
                self._ask_soon(
                    f"{verb} the {order.what}",
                    kind(
                        id=command_id(),
                        session_id=self._session,
                        what=order.what,
                        text=order.text,
                        candidate_id=order.candidate_id,
                    ),
                )

        self._app.push_screen(BanScreen(self._app.selected_row, view.hand.bans, view.prompts()), decided)

    def _rescore(self) -> None:
        from minegap_tui.screens.choose import RescoreScreen

        row = self._row()

        def decided(images: int | None) -> None:
            if images is not None:
                command = Rescore(
                    id=command_id(), session_id=self._session, candidate_id=row.candidate_id, images=images
                )
                self._ask_soon(f"measure again with {images} more images", command)

        self._app.push_screen(RescoreScreen(row, self._app.view.images or 16), decided)

    # ------------------------------------------------------------ the search

    def _knobs(self) -> None:
        from minegap_tui.screens.knobs import KnobsScreen

        hand = self._app.view.hand

        async def commit(changed: dict[str, Knob]) -> str:
            return await self._ask(
                f"set {', '.join(changed)}",
                SetKnobs(id=command_id(), session_id=self._session, knobs=changed),
            )

        self._app.push_screen(KnobsScreen(hand.knobs, hand.next_generation, commit))

    def _undo(self) -> None:
        view = self._app.view
        last = view.hand.undoable(view.generation)
        if last is not None:
            kind = str(last.command.get("type", "command")).replace("_", " ")
            self._ask_soon(
                f"undo the last {kind}",
                Undo(id=command_id(), session_id=self._session, command_id=last.command_id),
            )

    def _record(self) -> None:
        from minegap_tui.screens.record import RecordScreen

        def say(sentence: str) -> None:
            self.messages.say(sentence, refused=True)

        self._app.push_screen(RecordScreen(self._desk, self._app.view, say))
