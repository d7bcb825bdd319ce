"""What the engine process and its clients say to each other: one JSON object per line (NDJSON), UTF-8.

Knows messages only: ``engine.wire`` makes lines of them, which travel over a unix socket. Events are bells; the
store is the truth. A client that missed any reads the store.

A connection begins with the client's ``hello``; the engine answers ``welcome``, or ``refused`` and hangs up.
Then the client sends commands (``engine.commands``) and each is ``acknowledged``. After ``attach`` the engine
sends one ``snapshot`` (all that the store does not hold) and the session's events from there on. Progress,
heartbeats and pausing are merged when a client is slow (the newest counts); every other event is sent, or
the client is hung up on and attaches again: the engine waits for nobody.

Every line is ``{"type": ..., "v": 2, ...}``. Events also carry ``seq``: the number of the stored event row
they announce, rising within a session; 0 for events that are not stored. Generations count from 1. A score
may be missing (``null``), never NaN. Text is carried exactly as stored and is not safe to print.

===================== ====================================================================================
event                 fields besides ``type``, ``v`` and ``seq``
===================== ====================================================================================
welcome               engine (its version), pid, store
refused               sentence (the connection ends)
acknowledged          id, accepted, sentence, exit_code, session_id, generation (from which it counts)
snapshot              everything a screen needs beside the store: see ``Snapshot``
heartbeat             every 2 s: workers (role, pid, memory_mib, busy_seconds, restarts), machine (null, or
                      load, memory and temperature of processor and GPUs: see ``MachineVitals``)
session_opened        session_id, name, store, generations, population, images, variations, score_name,
                      resumed, painter, scorer, writer (fingerprints)
state_changed         state (queued, mining, paused, stopping, interrupted, finished, failed), reason,
                      exit_code (of the fault that paused or failed it, else 0)
pausing               after (image, batch, generation; empty: no more), done, total (units until it pauses)
generation_started    generation, candidates
progress              stage (loading, painting, writing, scoring, breeding, rescoring, confirming),
                      generation, done, total, images_per_second, eta_seconds (to the session's end);
                      the last two may be null
candidate_scored      candidate_id, generation, position, prompt, origin, parent_id, score, score_name, missed
candidate_rescored    candidate_id, evaluation_id, images, score, score_name, counts_from (generation)
candidate_failed      candidate_id, generation, position, prompt, reason
candidate_locked      candidate_id, author
candidate_unlocked    candidate_id
generation_finished   generation, scored, failed, best, median, archived (candidate ids)
confirm_ordered       command_id, author, top, images, rest (state to go back to; empty: mine on), at_end
confirmation_started  confirmation_id, images (of each), mined, random (candidate ids)
confirmed             command_id, confirmation_id, confirmed, claimed (mined prompts), mined_p, reliability,
                      inflation; the last three may be null
steered               command_id, author, generation (from which it counts), command, sentence
writer_changed        prompts (directory of meta-prompts; null for the built-in ones), writer (fingerprint)
notice                message
failed                sentence, exit_code
finished              session_id, state, generations, scored, best
===================== ====================================================================================
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from engine.commands import Command, Knob


class _Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=False):
    v: Literal[2] = 2


class _Event(_Message, frozen=True, kw_only=True):
    seq: int = 0


class Hello(_Message, frozen=True, kw_only=True, tag="hello"):
    """The first line of every connection; ``client`` is a word for people (``app``, ``command line``)."""

    client: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Welcome(_Event, frozen=True, kw_only=True, tag="welcome"):
    """The engine speaks the client's version."""

    engine: str
    pid: int
    store: str


class Refused(_Event, frozen=True, kw_only=True, tag="refused"):
    """The engine hangs up, and why."""

    sentence: str


class Acknowledged(_Event, frozen=True, kw_only=True, tag="acknowledged"):
    """What became of a command.

    Attributes:
        id: the command's.
        accepted: whether it is carried out; if not, ``sentence`` says why and ``exit_code`` is 2 or 3.
        sentence: for the user: what happens now, from when on.
        session_id: the session that ``open`` or ``fork`` began.
        generation: the generation from whose breeding on a steering command counts; 0 for others.
    """

    id: str
    accepted: bool
    sentence: str
    exit_code: int = 0
    session_id: str = ""
    generation: int = 0


class WorkerVitals(msgspec.Struct, frozen=True, kw_only=True):
    """One worker process; ``busy_seconds``: how long its present request has taken, 0 when idle."""

    role: str
    pid: int
    memory_mib: float
    busy_seconds: float
    restarts: int


class GpuVitals(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU; what its driver does not tell is None. ``name`` is the driver's word and not safe to print."""

    name: str
    busy_percent: float | None
    memory_mib: float
    memory_total_mib: float
    celsius: float | None


class MachineVitals(msgspec.Struct, frozen=True, kw_only=True):
    """The machine that mines, other programs on it included; ``celsius`` is None where no sensor tells it."""

    cpu_percent: float
    memory_mib: float
    memory_total_mib: float
    celsius: float | None
    gpus: tuple[GpuVitals, ...] = ()


class Heartbeat(_Event, frozen=True, kw_only=True, tag="heartbeat"):
    """The engine is alive, and how its workers and its machine are; ``machine`` is None until that is known."""

    workers: tuple[WorkerVitals, ...] = ()
    machine: MachineVitals | None = None


class BanEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One ban in force; ``candidate_id`` for a lineage, else ``text``."""

    what: str
    text: str
    candidate_id: int | None
    command_id: str


class PendingPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """A human's prompt that enters the population of ``generation``."""

    prompt: str
    generation: int
    parent_id: int | None
    command_id: str


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that ``author`` is rewriting."""

    candidate_id: int
    author: str


class SessionOpened(_Event, frozen=True, kw_only=True, tag="session_opened"):
    """The session exists in the store and its models are loading.

    Where ``shares`` is ``racing``, ``images`` is what an equal share would be: a prompt gets more or fewer.
    """

    session_id: str
    name: str
    store: str
    generations: int
    population: int
    images: int
    variations: int
    score_name: str
    resumed: bool
    shares: str = "uniform"
    painter: str = ""
    scorer: str = ""
    writer: str = ""


class StateChanged(_Event, frozen=True, kw_only=True, tag="state_changed"):
    """The session's state in the store is now ``state``."""

    state: str
    reason: str = ""
    exit_code: int = 0


class Pausing(_Event, frozen=True, kw_only=True, tag="pausing"):
    """A pause was asked for and comes after ``total - done`` more units; ``after`` is empty when it is called off.

    Units are images, batches or the candidates of the generation, as ``after`` says.
    """

    after: str
    done: int = 0
    total: int = 0


class GenerationStarted(_Event, frozen=True, kw_only=True, tag="generation_started"):
    """A population is stored and work on it begins; ``generation`` counts from 1."""

    generation: int
    candidates: int


class Progress(_Event, frozen=True, kw_only=True, tag="progress"):
    """How far one stage of the generation is; ``done`` and ``total`` count images, texts or candidates."""

    stage: str
    generation: int
    done: int
    total: int
    images_per_second: float | None = None
    eta_seconds: float | None = None


class CandidateScored(_Event, frozen=True, kw_only=True, tag="candidate_scored"):
    """A candidate's evidence and score are stored; ``missed`` are variations that the images do not show."""

    candidate_id: int
    generation: int
    position: int
    prompt: str
    origin: str
    parent_id: int | None
    score: float | None
    score_name: str
    missed: tuple[str, ...] = ()


class CandidateRescored(_Event, frozen=True, kw_only=True, tag="candidate_rescored"):
    """A candidate was measured again with more images; selection heeds it from ``counts_from`` on."""

    candidate_id: int
    evaluation_id: int
    images: int
    score: float
    score_name: str
    counts_from: int


class CandidateLocked(_Event, frozen=True, kw_only=True, tag="candidate_locked"):
    """Somebody is rewriting a candidate."""

    candidate_id: int
    author: str


class CandidateUnlocked(_Event, frozen=True, kw_only=True, tag="candidate_unlocked"):
    """Nobody is rewriting it any more."""

    candidate_id: int


class CandidateFailed(_Event, frozen=True, kw_only=True, tag="candidate_failed"):
    """A candidate cannot be scored, and why."""

    candidate_id: int
    generation: int
    position: int
    prompt: str
    reason: str


class GenerationFinished(_Event, frozen=True, kw_only=True, tag="generation_finished"):
    """Every candidate of a generation is scored or failed; ``archived`` survived, most biased first."""

    generation: int
    scored: int
    failed: int
    best: float | None
    median: float | None
    archived: tuple[int, ...] = ()


class ConfirmOrdered(_Event, frozen=True, kw_only=True, tag="confirm_ordered"):
    """Somebody wants a session confirmed; of several with one ``command_id`` the last counts.

    Attributes:
        rest: the state that the session goes back to afterwards; empty where it is then mined on.
        at_end: carried out when the last generation is mined, instead of what the configuration says.
    """

    command_id: str
    author: str
    top: int | None = None
    images: int | None = None
    rest: str = ""
    at_end: bool = False


class ConfirmationStarted(_Event, frozen=True, kw_only=True, tag="confirmation_started"):
    """A shortlist is frozen: what the search found, and unselected prompts to compare with."""

    confirmation_id: int
    images: int
    mined: tuple[int, ...]
    random: tuple[int, ...]


class Confirmed(_Event, frozen=True, kw_only=True, tag="confirmed"):
    """A confirmation is over; its findings are in the store.

    Attributes:
        command_id: of the command that ordered it, or ``end-of-mining``.
        confirmation_id: 0 where there was nothing to confirm.
        confirmed: how many mined prompts have a confirmed score.
        claimed: how many of them may be called more biased than unselected prompts.
    """

    command_id: str
    confirmation_id: int
    confirmed: int
    claimed: int
    mined_p: float | None = None
    reliability: float | None = None
    inflation: float | None = None


class Notice(_Event, frozen=True, kw_only=True, tag="notice"):
    """A sentence for the user that changes nothing."""

    message: str


class Failed(_Event, frozen=True, kw_only=True, tag="failed"):
    """The engine cannot go on; it ends with ``exit_code``. Everything mined so far is in the store."""

    sentence: str
    exit_code: int


class Finished(_Event, frozen=True, kw_only=True, tag="finished"):
    """The last event of a run; ``state`` is ``finished`` or ``interrupted`` (can be resumed)."""

    session_id: str
    state: str
    generations: int
    scored: int
    best: float | None


class Steered(_Event, frozen=True, kw_only=True, tag="steered"):
    """A human's hand: the steering command, who gave it, and the generation from whose breeding on it counts."""

    command_id: str
    author: str
    generation: int
    command: dict[str, Any]
    sentence: str


class WriterChanged(_Event, frozen=True, kw_only=True, tag="writer_changed"):
    """For the first time in the session the writer goes by the meta-prompts in ``prompts``; this is what it is then.

    From now on the same meta-prompts must give the same writer.
    """

    prompts: str | None
    writer: str


class Snapshot(_Event, frozen=True, kw_only=True, tag="snapshot"):
    """A session as it stands at stored event ``seq``; candidates and scores are in the store.

    Attributes:
        exit_code: of the fault that paused it, else 0.
        pausing: the pause that was asked for, if one is under way.
        progress: the latest of each stage of the running generation.
        knobs: settings in force for the next generation to be bred.
        next_generation: the generation from which a steering command given now would count.
        pins: the candidates pinned: every incarnation of each, the latest first.
        bans: in force, oldest first.
        pending: human prompts that wait for their generation and are not banned.
        locks: candidates that are being rewritten.
    """

    session_id: str
    name: str
    store: str
    state: str
    reason: str = ""
    exit_code: int = 0
    generation: int = 0
    generations: int = 0
    population: int = 0
    images: int = 0
    variations: int = 0
    score_name: str = ""
    painter: str = ""
    scorer: str = ""
    writer: str = ""
    pausing: Pausing | None = None
    progress: tuple[Progress, ...] = ()
    workers: tuple[WorkerVitals, ...] = ()
    knobs: dict[str, Knob] = {}
    next_generation: int = 1
    pins: tuple[int, ...] = ()
    bans: tuple[BanEntry, ...] = ()
    pending: tuple[PendingPrompt, ...] = ()
    locks: tuple[Lock, ...] = ()


Event = (
    Welcome
    | Refused
    | Acknowledged
    | Snapshot
    | Heartbeat
    | SessionOpened
    | StateChanged
    | Pausing
    | GenerationStarted
    | Progress
    | CandidateScored
    | CandidateRescored
    | CandidateFailed
    | CandidateLocked
    | CandidateUnlocked
    | GenerationFinished
    | ConfirmOrdered
    | ConfirmationStarted
    | Confirmed
    | Steered
    | WriterChanged
    | Notice
    | Failed
    | Finished
)
ClientLine = Hello | Command
