"""What a client may ask of the engine, one struct per command; ``engine.wire`` makes lines of them.

Every command carries an ``id`` that its client made up (1 to 64 printable ASCII characters; a random one, never
used again). The engine answers each with exactly one ``Acknowledged`` of that id. Asking again with the same id
changes nothing and is acknowledged in the same words: a client that lost its line simply repeats itself.

Steering commands (``Steering``) change what is mined. Each is recorded as a ``steered`` event, with its author and
the generation *from whose breeding on* it counts, before it is acknowledged; nothing in a population that is
already bred changes. So the record alone, folded again, gives the same session.

=============== ======================================== ==================================================
command         fields besides ``id``                    effect
=============== ======================================== ==================================================
open            config (JSON of ``MiningConfig``)        a new session, queued; acknowledged with its id
resume          session_id                               queue a stored session again, or end its pause
fork            session_id, generation, config           a new session that shares its generations up to
                                                         that one and goes on by ``config``; queued
attach          session_id                               a ``snapshot``, then the session's events
pause           session_id, after                        image: when the batch being drawn is stored;
                                                         batch: when all that the painter holds is stored;
                                                         generation: when the generation is finished
step            session_id                               go on and pause after the next finished generation
stop            session_id, at_once                      end as ``interrupted``; models are let go
confirm         session_id, top, images, at_end          measure the ``top`` most biased prompts of a session
                                                         that is not in work again, with fresh draws of
                                                         ``images`` each (null: as its configuration says);
                                                         ``at_end``: of one in work, when it is mined
delete          session_id                               remove a session that nobody mines from the store
edit_begin      session_id, candidate_id                 lock a candidate for this connection
edit_commit     session_id, candidate_id, prompt         a child of origin ``human`` (steering); unlocks
edit_cancel     session_id, candidate_id                 unlock
inject          session_id, prompts                      new candidates of origin ``human`` (steering)
pin, unpin      session_id, candidate_id                 survives every selection, measured again (steering)
ban, lift       session_id, what, text or candidate_id   keep a prompt, a word or a lineage out (steering)
rescore         session_id, candidate_id, images         measure now with so many more images (steering)
set_knobs       session_id, knobs                        settings of the generations to come (steering)
undo            session_id, command_id                   withdraw a steering command that has no effect yet
=============== ======================================== ==================================================
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

VERSION = 2

After: TypeAlias = Literal["image", "batch", "generation"]
Banned: TypeAlias = Literal["prompt", "word", "lineage"]
Knob: TypeAlias = int | float | str | bool | None
CommandId: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=64, pattern=r"^[!-~]+$")]
Id: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Row: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class _Command(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    v: Literal[2] = 2
    id: CommandId


class Open(_Command, frozen=True, kw_only=True, tag="open"):
    """Begin a new session; ``config`` is JSON of a whole ``MiningConfig``."""

    config: str


class _OfSession(_Command, frozen=True, kw_only=True):
    session_id: Id


class Resume(_OfSession, frozen=True, kw_only=True, tag="resume"):
    """Queue a session that was stopped, or end the pause of one that runs."""


class Fork(_OfSession, frozen=True, kw_only=True, tag="fork"):
    """Begin a new session from the first ``generation`` generations of a stored one."""

    generation: Row
    config: str


class Attach(_OfSession, frozen=True, kw_only=True, tag="attach"):
    """Follow a session from now on; a connection follows one session at a time."""


class Pause(_OfSession, frozen=True, kw_only=True, tag="pause"):
    """Pause after the unit in flight; models stay loaded."""

    after: After = "image"


class Step(_OfSession, frozen=True, kw_only=True, tag="step"):
    """Go on until the next generation is finished, then pause."""


class Stop(_OfSession, frozen=True, kw_only=True, tag="stop"):
    """End the session so that it can be resumed; ``at_once``: without waiting for the batch in flight."""

    at_once: bool = False


class Confirm(_OfSession, frozen=True, kw_only=True, tag="confirm"):
    """Queue a session that is neither queued nor in work, to confirm what it found; then it rests as it did before.

    With ``at_end`` one that is in work, paused or not, is confirmed when it has mined its last generation, in this way
    instead of the one that its configuration says.
    """

    top: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    images: Annotated[int, msgspec.Meta(ge=2, le=1 << 16)] | None = None
    at_end: bool = False


class Delete(_OfSession, frozen=True, kw_only=True, tag="delete"):
    """Remove a session that is neither queued nor in work, with the images that it alone has drawn; for good."""


class EditBegin(_OfSession, frozen=True, kw_only=True, tag="edit_begin"):
    """Lock a candidate while its prompt is being rewritten; the lock goes with the connection."""

    candidate_id: Row


class EditCancel(_OfSession, frozen=True, kw_only=True, tag="edit_cancel"):
    """Give the lock back without an edit."""

    candidate_id: Row


class EditCommit(_OfSession, frozen=True, kw_only=True, tag="edit_commit"):
    """Put the rewritten prompt into the next population, as a child of the candidate."""

    candidate_id: Row
    prompt: str


class Inject(_OfSession, frozen=True, kw_only=True, tag="inject"):
    """Put prompts into the next population (and the ones after it, where it has no room)."""

    prompts: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=10_000)]


class Pin(_OfSession, frozen=True, kw_only=True, tag="pin"):
    """Keep a candidate through every selection, measured again on new seeds in each generation."""

    candidate_id: Row


class Unpin(_OfSession, frozen=True, kw_only=True, tag="unpin"):
    """Let a pinned candidate take its chances again."""

    candidate_id: Row


class Ban(_OfSession, frozen=True, kw_only=True, tag="ban"):
    """Keep prompts out of selection and of new populations.

    ``prompt`` and ``word`` go by ``text``; ``lineage`` by a candidate: all that share its oldest ancestor.
    """

    what: Banned
    text: str = ""
    candidate_id: Row | None = None


class Lift(_OfSession, frozen=True, kw_only=True, tag="lift"):
    """End a ban; the fields are those of the ban."""

    what: Banned
    text: str = ""
    candidate_id: Row | None = None


class Rescore(_OfSession, frozen=True, kw_only=True, tag="rescore"):
    """Measure a scored candidate again, now, with ``images`` more images."""

    candidate_id: Row
    images: Annotated[int, msgspec.Meta(ge=1, le=4096)]


class SetKnobs(_OfSession, frozen=True, kw_only=True, tag="set_knobs"):
    """Change settings of the generations to come.

    Keys: population, survivors, mutations, images, variations, alpha, axis, theme, generations (of
    ``[search]``) and prompts (of ``[writer]``: a directory of meta-prompts).
    """

    knobs: Annotated[dict[str, Knob], msgspec.Meta(min_length=1, max_length=32)]


class Undo(_OfSession, frozen=True, kw_only=True, tag="undo"):
    """Withdraw a steering command before the generation from which it counts is bred."""

    command_id: CommandId


Steering = EditCommit | Inject | Pin | Unpin | Ban | Lift | Rescore | SetKnobs | Undo
Command = (
    Open | Resume | Fork | Attach | Pause | Step | Stop | Confirm | Delete | EditBegin | EditCancel | Steering
)
