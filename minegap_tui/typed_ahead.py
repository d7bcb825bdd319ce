"""Keys in the order in which they were typed, however quickly: over a slow line several come at once.

Textual hands every key on as soon as it comes. A key that follows one which opens an editor would then act on the
screen below it, and one about a line that is still being read would do nothing. Here a key is handed on when the
one before had its effect; one that needs what is being read waits for it, and those behind it wait too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

Typed = events.Key | events.Paste

WORKER = "typed ahead"
"""Group of the worker that hands keys on."""
AT_ONCE = frozenset({"ctrl+c", "ctrl+q"})
"""Keys that leave the app, whatever is waited for."""
GIVES_UP = "escape"
"""The key that forgets what waits."""


class TypedAhead:
    """Hands keys on for one app.

    Args:
        app: whose keys.
        hand_on: Textual's own way with a key.
        everywhere: whether a key does now what it does on every screen: it never waits for what is read, and what
            waits is forgotten.
    """

    def __init__(
        self,
        app: App[Any],
        hand_on: Callable[[events.Event], Awaitable[None]],
        everywhere: Callable[[str], bool],
    ) -> None:
        self._app, self._hand_on, self._everywhere = app, hand_on, everywhere
        self._queue: deque[Typed] = deque()
        self._current: Typed | None = None
        self._target: MessagePump = app
        self._held = self._expecting = False
        self._woken = asyncio.Event()

    async def take(self, event: Typed) -> None:
        """Hand a key on now, or when it is its turn."""
        if isinstance(event, events.Key) and event.key in AT_ONCE:
            await self._hand_on(event)
            return
        self._queue.append(event)
        if self._current is None:
            await self._next()
            self._app.run_worker(self._go_on(), group=WORKER, name=WORKER)
        else:
            self._woken.set()

    def hold(self) -> bool:
        """Keep the key that is being handled until ``look_again``; False where no key is."""
        self._held = isinstance(self._current, events.Key)
        return self._held

    def look_again(self) -> None:
        """Something was read: the key that waits may be handed on."""
        self._woken.set()

    def expect(self) -> None:
        """Another screen is about to open: what is typed is meant for it and waits until it ``arrived``."""
        self._expecting = True

    def arrived(self) -> None:
        """The screen is there, or will not come."""
        self._expecting = False
        self._woken.set()

    async def _next(self) -> None:
        """Hand the first one on, unless it is meant for a screen that is not there yet."""
        self._current = self._queue[0]
        if not self._expecting:
            self._queue.popleft()
            self._target = self._app.focused or self._app.screen
            await self._hand_on(self._current)

    async def _go_on(self) -> None:
        while self._current is not None:
            await self._has_had_its_effect()
            if self.waiting and not self._given_up():
                await self._woken.wait()
                self._woken.clear()
                if not self._given_up() and self._held and isinstance(self._current, events.Key):
                    self._held = False
                    self._queue.appendleft(self._current.copy())
            await self._screen_is_ready()
            if self._queue:
                await self._next()
            else:
                self._current = None

    @property
    def waiting(self) -> bool:
        """Whether keys wait for something to be read, or for a screen."""
        return self._held or (self._expecting and bool(self._queue))

    def _given_up(self) -> bool:
        """Forget what waits before a key that ends the waiting; False where there is none."""
        for place in reversed(range(len(self._queue) if self.waiting else 0)):
            event = self._queue[place]
            key = event.key if isinstance(event, events.Key) else ""
            if key == GIVES_UP or (self._held and self._everywhere(key)):
                for _ in range(place):
                    self._queue.popleft()
                self._held = self._expecting = False
                return True
        return False

    async def _has_had_its_effect(self) -> None:
        """Wait until the key, and what it made widgets say, came to the app."""
        for _ in range(2):
            node: MessagePump | None = self._target
            while node is not None:
                await _reached(node)
                node = node._parent

    async def _screen_is_ready(self) -> None:
        """Wait until the screen that the next key is for has its focus."""
        screen = self._app.screen
        await screen._mounted_event.wait()
        await _reached(screen)
        await _reached(self._app)


async def _reached(node: MessagePump) -> None:
    """Wait until a node handled what it was sent before, or is gone."""
    done = asyncio.Event()
    if not node.call_later(done.set):
        return
    waiting = asyncio.ensure_future(done.wait())
    ended = [node._task] if node._task is not None else []
    await asyncio.wait([waiting, *ended], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
