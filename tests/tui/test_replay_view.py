"""A session as it stood after each generation."""

from __future__ import annotations

from pathlib import Path

import pytest
from factory import fill
from many import many
from scripted import scored, stored

from engine import protocol
from minegap_tui.view.replay import STATE, Replay, as_then, read_replay
from minegap_tui.view.session import SessionView
from store import Store, open_reader, open_store


@pytest.fixture
def mined(tmp_path: Path) -> tuple[Path, str]:
    return tmp_path, fill(tmp_path, generations=4, population=6, images=4, variations=4)


def replay(directory: Path, session: str) -> Replay:
    with open_reader(directory) as reader:
        return read_replay(reader, session)


def board(view: SessionView) -> list[tuple[int, float]]:
    return [(row.candidate_id, row.score) for row in view.leaderboard(1000)]


def record(store: Store, session: str, event: protocol.Event) -> int:
    import msgspec

    fields = msgspec.to_builtins(event)
    kind = fields.pop("type")
    return store.append_event(session, kind, {k: v for k, v in fields.items() if k not in {"v", "seq"}})


def test_every_generation_shows_what_was_scored_by_then(mined: tuple[Path, str]) -> None:
    directory, session = mined
    found = replay(directory, session)
    assert [frame.generation for frame in found.frames] == [1, 2, 3, 4]
    everything = stored(directory, session)
    for place in (0, 3, 1, 2, 2, 0, 3):  # in any order: what was looked at before changes nothing
        view = found.view(place)
        expected = sorted((one.score, one.id) for one in everything if one.generation <= place + 1)
        assert board(view) == [(number, score) for score, number in expected]
        assert (view.state, view.generation, view.running) == (STATE, place + 1, False)
        assert [point.generation for point in view.trend()] == list(range(1, place + 2))


def test_the_end_of_a_replay_is_what_the_live_screen_shows(mined: tuple[Path, str]) -> None:
    directory, session = mined
    live = SessionView()
    with open_reader(directory) as reader:
        live.load(reader.session(session), reader.leaderboard(session, 1000))
    assert board(replay(directory, session).view(3)) == board(live)
    assert replay(directory, session).view(3).trend() == live.trend()


def test_a_view_that_was_handed_out_is_left_alone(mined: tuple[Path, str]) -> None:
    found = replay(*mined)
    one = found.view(1)
    before, trend = board(one), one.trend()
    one.apply(scored(stored(*mined)[0], score=-5))
    assert (board(found.view(1)), found.view(1).trend()) == (before, trend)
    found.view(3)
    assert board(found.view(1)) == before


def test_a_measurement_made_again_counts_from_when_it_was_made(mined: tuple[Path, str]) -> None:
    directory, session = mined
    first = stored(directory, session)[0]
    with open_store(directory) as store:
        record(store, session, opened(session))
        for generation in range(1, 5):
            record(store, session, protocol.GenerationStarted(generation=generation, candidates=6))
            if generation == 3:
                with open_reader(directory) as reader:
                    again = reader.candidate(first.id).evaluation
                assert again is not None
                number = store.save_evaluation(first.id, remeasured(again, 0.777))
                record(
                    store,
                    session,
                    protocol.CandidateRescored(
                        candidate_id=first.id, evaluation_id=number, images=8, score=0.777,
                        score_name="information", counts_from=4,
                    ),
                )  # fmt: skip
    found = replay(directory, session)
    scores = [dict(board(found.view(place)))[first.id] for place in range(4)]
    assert scores == [first.score, first.score, 0.777, 0.777]
    with open_reader(directory) as reader:
        evidence = reader.candidate(first.id)
    assert evidence.evaluation is not None
    assert evidence.evaluation.score == 0.777
    then = as_then(evidence, first.score).evaluation
    assert then is not None
    assert then.score == first.score
    assert as_then(evidence, None) is evidence


def remeasured(evaluation: object, score: float) -> object:
    from store.incoming import NewEvaluation
    from store.records import Evaluation

    assert isinstance(evaluation, Evaluation)
    return NewEvaluation(
        images=[image.id for image in evaluation.images],
        variations=[one.text for one in evaluation.variations],
        similarity=evaluation.similarity,
        scores=dict(evaluation.scores) | {"information": score},
        score_name="information",
        coverage=evaluation.similarity.max(axis=1),
        alignment=evaluation.similarity.max(axis=0),
        missed=[0],
    )


def opened(session: str) -> protocol.SessionOpened:
    return protocol.SessionOpened(
        session_id=session, name="demo", store="", generations=7, population=6, images=4, variations=4,
        score_name="information", resumed=False,
    )  # fmt: skip


def steered(command: dict[str, object], generation: int, number: str) -> protocol.Steered:
    return protocol.Steered(
        command_id=number, author="ann", generation=generation, command=command | {"v": 2, "id": number},
        sentence=f"{command['type']} counts from generation {generation} on",
    )  # fmt: skip


def test_the_hand_is_shown_as_it_was_then(mined: tuple[Path, str]) -> None:
    directory, session = mined
    first = stored(directory, session)[0]
    pin = {"type": "pin", "session_id": session, "candidate_id": first.id}
    ban = {"type": "ban", "session_id": session, "what": "word", "text": "nurse"}
    unpin = {"type": "unpin", "session_id": session, "candidate_id": first.id}
    with open_store(directory) as store:
        record(store, session, opened(session))
        for generation, commands in enumerate(([pin], [ban], [unpin], []), 1):
            record(store, session, protocol.GenerationStarted(generation=generation, candidates=6))
            for command in commands:
                record(store, session, steered(command, generation + 1, f"c{generation}"))
    found = replay(directory, session)
    pinned = [first.id in found.view(place).hand.pins for place in range(4)]
    assert pinned == [True, True, False, False]
    assert [len(found.view(place).hand.bans) for place in range(4)] == [0, 1, 1, 1]
    assert "pin counts from generation 2" in found.view(0).notice
    assert [line.kind for line in found.view(1).log].count("steered") == 2
    assert found.view(0).log[-1].what.startswith("pin counts")
    assert "pin counts" not in found.view(1).notice
    assert found.view(0).generations == 4  # those that were mined


def test_a_fork_s_beginning_is_replayed_too(mined: tuple[Path, str]) -> None:
    directory, session = mined
    with open_store(directory) as store:
        for generation in (2, 3):
            ban = {"type": "ban", "session_id": session, "what": "word", "text": f"word{generation}"}
            record(store, session, steered(ban, generation, f"c{generation}"))
        copy = store.fork_session(session, 3, name="fork", seed=1, config_json="{}")
        record(store, copy, opened(copy))
        record(store, copy, protocol.GenerationStarted(generation=4, candidates=0))
    found = replay(directory, copy)
    assert [frame.generation for frame in found.frames] == [1, 2, 3]
    assert [found.view(place).scored for place in range(3)] == [6, 12, 18]
    assert [len(found.view(place).hand.bans) for place in range(3)] == [1, 2, 2]
    assert ["generation 3" in found.view(place).notice for place in range(3)] == [False, True, False]


def test_failed_candidates_states_and_unknown_events_disturb_nothing(mined: tuple[Path, str]) -> None:
    directory, session = mined
    from store.incoming import NewCandidate

    with open_store(directory) as store:
        record(store, session, opened(session))
        record(store, session, protocol.GenerationStarted(generation=1, candidates=6))
        store.append_event(session, "from the future", {"x": 1})
        record(
            store, session, protocol.StateChanged(state="failed", reason="the disk \x1b is full", exit_code=3)
        )
        record(store, session, protocol.Failed(sentence="gone", exit_code=3))
        (bad,) = store.add_candidates(session, 5, [NewCandidate(0, "bad", "random")])
        store.set_candidate_state(bad, "failed", "no variations")
    found = replay(directory, session)
    view = found.view(0)
    assert (view.state, view.failure, view.exit_code) == (STATE, None, 0)
    assert "failed: the disk ␛ is full" in view.notice
    assert found.view(4).failed_candidates == 1


def test_a_session_without_generations_has_no_frames(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        session = store.create_session(name="", seed=1, config_json="{", models_json="")
        record(store, session, opened(session))
    assert replay(tmp_path, session).length == 0


def test_a_long_session_is_stepped_through_without_beginning_anew(tmp_path: Path) -> None:
    found = replay(tmp_path, many(tmp_path, 5000))
    found.view(found.length - 1)
    applied = []
    for frame in found.frames:
        frame.events = Counted(frame.events, applied)  # type: ignore[assignment]
    for place in (48, 47, 46, 20, 21, 22):
        assert found.view(place).scored == (place + 1) * 100
    assert len(applied) <= 6 * 9 * 101  # never more than an eighth of the session for one step
    applied.clear()
    found.view(23)
    assert len(applied) <= 101


class Counted(list):  # type: ignore[type-arg]
    """Events that write down when they are read."""

    def __init__(self, events: list[protocol.Event], applied: list[int]) -> None:
        super().__init__(events)
        self._applied = applied

    def __iter__(self):  # type: ignore[no-untyped-def]
        for event in super().__iter__():
            self._applied.append(1)
            yield event
