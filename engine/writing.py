"""Asks the writer, once per task: whatever it wrote is stored and found again under the task's key."""

from __future__ import annotations

import hashlib
from typing import get_args

import msgspec

from engine.bench import Bench
from engine.services import WritingTask
from store.incoming import NewWriting
from store.records import Exchange, Writing
from store.vocabulary import WritingKind


async def write(bench: Bench, task: WritingTask) -> Writing:
    """Return what the writer made of a task, from the store where it is there.

    Raises:
        MachineError, InputError: the writer failed.
        StoreError: the store failed.
    """
    keeper, store = bench.keeper, bench.keeper.store
    # the scorer limits how long a text may be, so it is part of what was asked
    key = task_key(task, f"{bench.pen.writer} {bench.studio.scorer}")
    found = await keeper.call(store.find_writing, key)
    if found is None:
        written = await bench.pen.write(task)
        exchanges = [Exchange(e.request, e.reply, e.seed, e.verdict) for e in written.exchanges]
        new = NewWriting(
            key=key,
            kind=_kind(task.kind),
            prompt=task.prompt,
            texts=written.texts,
            exchanges=exchanges,
            rejected=sum(exchange.verdict != "accepted" for exchange in exchanges),
            fingerprint=bench.pen.writer,
        )
        await keeper.call(store.save_writing, bench.session_id, new)
        await bench.log.notice(*written.notes)
        found = await keeper.call(store.find_writing, key)
        assert found is not None
    return found


def task_key(task: WritingTask, fingerprint: str) -> str:
    """Name a task and the writer that carries it out; equal names, equal texts."""
    material = msgspec.json.encode([msgspec.to_builtins(task), fingerprint])
    return hashlib.blake2b(material, digest_size=20).hexdigest()


def _kind(kind: str) -> WritingKind:
    for known in get_args(WritingKind):
        if kind == known:
            return known  # type: ignore[no-any-return]
    raise AssertionError(kind)
