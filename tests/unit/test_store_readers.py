"""Readers beside the writer: in other threads, many on one reader, and never writing themselves."""

from __future__ import annotations

import threading

import pytest
from store_samples import scored, session

from store import Store, StoreError, open_reader


def test_readers_in_threads_see_whole_candidates_while_the_writer_writes(store: Store) -> None:
    run = session(store)
    done, started = threading.Event(), threading.Barrier(4)
    failures: list[object] = []

    def read(shared: bool) -> None:
        with open_reader(store.folder) as own:
            reader = store if shared else own
            started.wait()
            seen, last = 0, False
            while not last:
                last = done.is_set()  # one more look after the writer's end
                for one in reader.leaderboard(run, limit=2):
                    evidence = reader.candidate(one.id)
                    if evidence.evaluation is None or not all(
                        entry.path.is_file() for entry in evidence.evaluation.images
                    ):
                        failures.append(one)
                count = reader.session(run).scored
                if count < seen:
                    failures.append((seen, count))
                seen = count
            if seen != 16:
                failures.append(seen)

    threads = [threading.Thread(target=read, args=(shared,)) for shared in (False, False, True)]
    for thread in threads:
        thread.start()
    started.wait()
    for generation in range(8):
        scored(store, run, generation, [f"{generation} a", f"{generation} b"], [0.1, 0.2])
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


def test_one_reader_serves_many_threads(store: Store) -> None:
    run = session(store)
    scored(store, run, 0, ["a", "b"], [0.1, 0.2])
    results: list[int] = []
    with open_reader(store.folder) as reader:
        threads = [
            threading.Thread(target=lambda: results.extend(len(reader.leaderboard(run)) for _ in range(20)))
            for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == [2] * 80


def test_a_reader_cannot_write(store: Store) -> None:
    with open_reader(store.folder) as reader, pytest.raises(StoreError, match="cannot be written"):
        reader._rows("UPDATE sessions SET name = 'x'")
