"""Forks, queued sessions and the record of steering, as the engine asks for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_samples import evaluation, image, scored, session, writing

from store import Store, StoreError, open_reader, open_store
from store.incoming import NewCandidate, NewEvaluation
from store.records import Candidate


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path) as opened:
        yield opened


def fork(store: Store, source: str, generation: int, name: str = "fork") -> str:
    return store.fork_session(source, generation, name=name, seed=8, config_json='{"other": 1}')


def rescored(store: Store, candidate: int, prompt: str, score: float) -> tuple[int, NewEvaluation]:
    """Measure it again with more images, as ``rescore`` does; returns the evaluation's id and all of it."""
    new = evaluation(store.save_images([image(prompt, seed) for seed in (2, 4, 6, 8)]), score)
    return store.save_evaluation(candidate, new), new


def steered(store: Store, run: str, generation: int, command: dict[str, object], author: str = "ann") -> int:
    return store.append_event(
        run,
        "steered",
        {
            "type": "steered", "command_id": f"c{generation}", "author": author, "generation": generation,
            "command": {"v": 2, "id": f"c{generation}", "session_id": run} | command, "sentence": "Done.",
        },
    )  # fmt: skip


def told(store: Store, run: str, candidate: int, evaluation_id: int, counts_from: int) -> None:
    payload = {
        "candidate_id": candidate, "evaluation_id": evaluation_id, "images": 4, "score": 0.5,
        "score_name": "information", "counts_from": counts_from,
    }  # fmt: skip
    store.append_event(run, "candidate_rescored", payload)


# ---------------------------------------------------------------- queued sessions and their models


def test_a_session_is_queued_until_an_engine_takes_it_up(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        run = store.create_session(name="next", seed=1, config_json="{}")
        taken = session(store)
        assert (store.session(run).state, store.session(run).models_json) == ("queued", "")
    with open_store(tmp_path) as store:  # nobody ended it, and nobody had begun the first one
        assert (store.session(run).state, store.session(run).reason) == ("queued", "")
        assert store.session(taken).state == "interrupted"


def test_models_are_recorded_once(store: Store) -> None:
    run = store.create_session(name="", seed=1, config_json="{}")
    for _ in range(2):
        store.set_session_models(run, '{"painter": "p1"}')
    assert store.session(run).models_json == '{"painter": "p1"}'
    with pytest.raises(StoreError, match="is mined with the models") as caught:
        store.set_session_models(run, '{"painter": "p2"}')
    assert caught.value.exit_code == 2
    assert store.session(run).models_json == '{"painter": "p1"}'
    with pytest.raises(StoreError, match="There is no session"):
        store.set_session_models("01J", "{}")


def test_models_that_were_left_open_are_recorded_once_they_are_known(store: Store) -> None:
    session = store.create_session(name="", seed=1, config_json="{}", models_json='{"painter": "a"}')
    store.set_session_models(session, '{"painter": "a", "writer": "b"}')
    for other in ('{"painter": "a"}', '{"painter": "a", "writer": "c"}', '{"painter": "c", "writer": "b"}'):
        with pytest.raises(StoreError, match="is mined with the models"):
            store.set_session_models(session, other)
    assert store.session(session).models_json == '{"painter": "a", "writer": "b"}'


def test_a_command_begins_one_session_however_often_it_is_asked(store: Store, source: str) -> None:
    assert store.session_begun_by("one") is None
    assert store.session_begun_by(None) is None
    begun = [store.create_session(name="", seed=1, config_json="{}", command_id="one") for _ in range(2)]
    forked = [
        store.fork_session(source, 1, name="", seed=1, config_json="{}", command_id="two") for _ in range(2)
    ]
    assert begun[0] == begun[1] == store.session_begun_by("one")
    assert forked[0] == forked[1] == store.session_begun_by("two")
    without = {store.create_session(name="", seed=1, config_json="{}") for _ in range(2)}
    assert len(without) == 2


def test_the_last_event_is_read_alone(store: Store) -> None:
    session, other = (store.create_session(name="", seed=1, config_json="{}") for _ in range(2))
    assert store.last_event(session) is None
    for number, kind in enumerate(("notice", "state_changed", "notice")):
        store.append_event(session, kind, {"number": number})
    store.append_event(other, "notice", {})
    for kind, number in ((None, 2), ("notice", 2), ("state_changed", 1)):
        event = store.last_event(session, kind)
        assert event is not None
        assert event.payload == {"number": number}
    assert store.last_event(session, "failed") is None


def test_a_session_begins_in_a_state_that_there_is(store: Store) -> None:
    with pytest.raises(StoreError, match="'dreaming' is none of queued, mining"):
        store.create_session(name="", seed=1, config_json="", state="dreaming")  # type: ignore[arg-type]
    assert store.sessions() == ()


# ---------------------------------------------------------------- the record of steering


def test_steering_is_what_hands_did_in_order(store: Store) -> None:
    run, other = session(store), session(store, "other")
    first = steered(store, run, 2, {"type": "pin", "candidate_id": 1})
    store.append_event(run, "notice", {"message": "no hand"})
    steered(store, other, 2, {"type": "unpin", "candidate_id": 1})
    told(store, run, 1, 1, 3)
    events = store.steering(run)
    assert [event.kind for event in events] == ["steered", "candidate_rescored"]
    assert events[0].seq == first
    assert events[0].payload["command"] == {
        "v": 2, "id": "c2", "session_id": run, "type": "pin", "candidate_id": 1
    }  # fmt: skip
    assert events == tuple(one for one in store.events(run) if one.kind != "notice")
    with open_reader(store.folder) as reader:
        assert reader.steering(run) == events
        assert reader.steering("\ud800") == ()


def test_steering_is_a_table_for_people(store: Store) -> None:
    run = session(store)
    steered(
        store, run, 3, {"type": "ban", "what": "word", "text": "'; DROP TABLE events"}, author="ann (app)"
    )
    store.append_event(run, "notice", {"message": "no hand"})
    (row,) = store._rows("SELECT session_id, author, command, generation, sentence, details FROM steering")
    assert row[:5] == (run, "ann (app)", "ban", 3, "Done.")
    assert json.loads(row[5])["text"] == "'; DROP TABLE events"
    assert store._rows("SELECT time FROM steering") == [(store.events(run)[0].created_at,)]


def test_every_search_score_oldest_first(store: Store) -> None:
    run = session(store)
    first, second = scored(store, run, 1, ["a", "b"], [0.5, 0.25])
    store.add_candidates(run, 1, [NewCandidate(2, "waiting", "random")])
    scored(store, run, 2, ["c"], [0.1])
    number, new = rescored(store, first, "a", 0.75)
    store.save_evaluation(second, replace(new, purpose="confirm"))
    scores = store.search_scores(run, 1)
    assert list(scores) == [first, second]
    assert [score for _, score in scores[first]] == [0.5, 0.75]
    assert scores[first][1][0] == number
    assert [score for _, score in scores[second]] == [0.25]
    assert store.search_scores(run, 9) == {}


# ---------------------------------------------------------------- forks


def portrait(store: Store, run: str, generation: int) -> list[tuple[object, ...]]:
    """Everything about the candidates of a generation but their ids."""
    rows = []
    for one in store.candidates(run, generation):
        evidence, words = store.candidate(one.id), store.writings(one.id)
        rows.append(
            (
                one.position, one.prompt, one.origin, one.writing_id, one.state, one.reason, one.score,
                [(past.generation, past.prompt, past.origin) for past in evidence.parents],
                [
                    (each.purpose, each.scores, each.variations, each.images, each.similarity.tolist(), each.created_at)
                    for each in evidence.evaluations
                ],
                (words.variations, words.prompt),
            )
        )  # fmt: skip
    return rows


@pytest.fixture
def source(store: Store) -> str:
    """Three generations: a family, a failed and a waiting candidate, and a confirmed one."""
    session(store, "unrelated")
    run = store.create_session(name="source", seed=7, config_json="{}", models_json='{"painter": "p1"}')
    words = store.save_writing(run, writing("v", "a", ["a red cat", "a blue cat"]))
    born = store.save_writing(run, writing("m", "a", ["c"], kind="mutations"))
    scored(store, session(store, "in between"), 1, ["x"], [0.5])
    first, second = scored(store, run, 1, ["a", "b"], [0.5, 0.25])
    store.save_evaluation(
        second,
        replace(evaluation(store.save_images([image("b", 9)]), 0.3), purpose="confirm", writing_id=words),
    )
    child, failed = store.add_candidates(
        run, 2, [NewCandidate(0, "c", "mutation", first, born), NewCandidate(1, "d", "random")]
    )
    store.save_evaluation(child, evaluation(store.save_images([image("c", 2)]), 0.125))
    store.set_candidate_state(failed, "failed", "no variations")
    store.add_candidates(run, 3, [NewCandidate(0, "c", "elite", child), NewCandidate(1, "e", "human", child)])
    return run


def candidate(store: Store, run: str, prompt: str, generation: int) -> Candidate:
    return next(one for one in store.candidates(run, generation) if one.prompt == prompt)


def test_a_fork_holds_all_of_the_shared_generations_under_ids_of_its_own(store: Store, source: str) -> None:
    before = [portrait(store, source, generation) for generation in (1, 2, 3)]
    events = store.events(source)
    run = fork(store, source, 2)
    forked = store.session(run)
    assert (forked.name, forked.seed, forked.config_json, forked.state) == (
        "fork", 8, '{"other": 1}', "queued"
    )  # fmt: skip
    assert (forked.forked_from, forked.forked_generation) == (source, 2)
    assert forked.models_json == '{"painter": "p1"}'
    assert (forked.generations, forked.candidates, forked.scored, forked.best_score) == (2, 4, 3, 0.125)
    assert [portrait(store, run, generation) for generation in (1, 2)] == before[:2]
    ids = {one.id for generation in (1, 2) for one in store.candidates(run, generation)}
    assert not ids & {one.id for generation in (1, 2) for one in store.candidates(source, generation)}
    parents = {one.parent_id for one in store.candidates(run, 2)}
    assert parents == {None, candidate(store, run, "a", 1).id}
    assert [one.prompt for one in store.leaderboard(run)] == ["c", "b", "a"]
    # the source is as it was
    assert [portrait(store, source, generation) for generation in (1, 2, 3)] == before
    assert store.events(source) == events
    assert store.session(source).forked_from is None
    assert store._rows("PRAGMA foreign_key_check") == []


def test_going_on_with_a_fork_finds_what_it_shares(store: Store, source: str) -> None:
    run = fork(store, source, 3)
    kept = candidate(store, run, "c", 2)
    assert store.add_candidates(run, 2, [NewCandidate(0, "c", "mutation")]) == [kept.id]
    known = store.candidate(kept.id).evaluations[0].id
    again = evaluation(store.save_images([image("c", 2)]), 0.125)
    assert store.save_evaluation(kept.id, again) == known
    waiting = candidate(store, run, "e", 3)
    assert (waiting.state, waiting.origin) == ("waiting", "human")
    store.save_evaluation(waiting.id, evaluation(store.save_images([image("e", 2)]), 0.0625))
    assert candidate(store, source, "e", 3).state == "waiting"


def test_a_fork_has_the_steering_that_counted_by_then_about_its_own_candidates(
    store: Store, source: str
) -> None:
    first = candidate(store, source, "a", 1).id
    steered(store, source, 2, {"type": "pin", "candidate_id": first})
    steered(store, source, 2, {"type": "ban", "what": "word", "text": "dog", "candidate_id": None})
    store.append_event(source, "notice", {"message": "no hand"})
    steered(store, source, 3, {"type": "edit_commit", "candidate_id": first, "prompt": "later"})
    run = fork(store, source, 2)
    pin, ban = store.steering(run)
    own = candidate(store, run, "a", 1).id
    assert pin.payload["command"] == {
        "v": 2, "id": "c2", "session_id": run, "type": "pin", "candidate_id": own
    }  # fmt: skip
    assert pin.payload | {"command": 0} == store.steering(source)[0].payload | {"command": 0}
    assert ban.payload["command"]["candidate_id"] is None  # type: ignore[index]
    assert [one.created_at for one in (pin, ban)] == [one.created_at for one in store.steering(source)[:2]]
    assert [one.kind for one in store.events(run)] == ["steered", "steered"]
    # and the next one takes what came later
    later = store.steering(fork(store, source, 3, "later"))
    assert [one.payload["generation"] for one in later] == [2, 2, 3]


def test_a_fork_has_the_measurements_that_counted_by_then(store: Store, source: str) -> None:
    """A score that came later would change what the fork breeds from."""
    first, second = store.candidates(source, 1)
    early, _ = rescored(store, first.id, "a", 0.75)
    told(store, source, first.id, early, 2)
    late, _ = rescored(store, second.id, "b", 0.875)
    told(store, source, second.id, late, 3)
    unsaid, _ = rescored(store, first.id, "a", 0.9375)  # measured; its engine died before it said so
    run = fork(store, source, 2)
    own = [[score for _, score in scores] for scores in store.search_scores(run, 1).values()]
    assert own == [[0.5, 0.75], [0.25]]
    (event,) = store.steering(run)
    scores = store.search_scores(run, 1)[candidate(store, run, "a", 1).id]
    assert event.payload["candidate_id"] == candidate(store, run, "a", 1).id
    assert event.payload["evaluation_id"] == scores[1][0]
    assert scores[1][0] not in (early, late, unsaid)
    assert len(store.candidate(candidate(store, run, "b", 1).id).evaluations) == 2  # and the confirmation
    assert [len(scores) for scores in store.search_scores(fork(store, source, 3), 1).values()] == [2, 2]


def test_a_fork_of_a_fork_and_of_the_source_are_alike(store: Store, source: str) -> None:
    steered(store, source, 2, {"type": "pin", "candidate_id": candidate(store, source, "a", 1).id})
    near, far = fork(store, source, 2), fork(store, fork(store, source, 3), 2)
    for generation in (1, 2):
        assert portrait(store, near, generation) == portrait(store, far, generation)
    (event,) = store.steering(far)
    assert event.payload["command"]["candidate_id"] == candidate(store, far, "a", 1).id  # type: ignore[index]
    assert event.payload["command"]["session_id"] == far  # type: ignore[index]


def test_models_that_a_fork_must_have_can_be_named(store: Store, source: str) -> None:
    run = store.fork_session(source, 1, name="", seed=1, config_json="", models_json="")
    assert store.session(run).models_json == ""


@pytest.mark.parametrize("generation", [0, -1, 4, 2**62])
def test_a_generation_that_is_not_there(store: Store, source: str, generation: int) -> None:
    with pytest.raises(StoreError, match=f"from generation {generation}: it has 3 generations") as caught:
        fork(store, source, generation)
    assert caught.value.exit_code == 2
    assert len(store.sessions()) == 3


def test_what_cannot_be_forked_leaves_nothing_behind(store: Store, source: str) -> None:
    with pytest.raises(StoreError, match="There is no session 'nobody'"):
        fork(store, "nobody", 1)
    foreign = store.leaderboard(store.sessions()[1].id)[0].id
    for value in (foreign, candidate(store, source, "c", 2).id, "5", [5]):
        run = fork(store, source, 1, "still fine")
        steered(store, run, 1, {"type": "pin", "candidate_id": value})
        with pytest.raises(StoreError, match="its record names the candidate_id") as caught:
            fork(store, run, 1, "refused")
        assert caught.value.exit_code == 2
    assert "refused" not in {one.name for one in store.sessions()}
    tables = ("candidates", "evaluations", "events")
    before = [store._rows(f"SELECT count(*) FROM {table}") for table in tables]
    with pytest.raises(StoreError):
        fork(store, run, 1)
    assert [store._rows(f"SELECT count(*) FROM {table}") for table in tables] == before


@pytest.mark.parametrize("payload", [{}, {"generation": "1"}, {"generation": None}])
def test_an_event_that_does_not_say_when_it_counts_does_not(
    store: Store, source: str, payload: dict[str, object]
) -> None:
    store.append_event(source, "steered", payload)
    store.append_event(source, "candidate_rescored", payload)
    assert store.steering(fork(store, source, 3)) == ()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("shared")) as opened:
        yield opened


@settings(max_examples=15, deadline=None)
@given(
    generations=st.lists(
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), min_size=1, max_size=4),
        min_size=1,
        max_size=4,
    ),
    chosen=st.integers(0, 3),
)
def test_any_family_is_shared_as_it_is(
    shared: Store, generations: list[list[tuple[int, int]]], chosen: int
) -> None:
    run = session(shared)
    family: list[int] = []
    images = shared.save_images([image("any", 2)])
    for generation, members in enumerate(generations, start=1):
        places = [
            NewCandidate(place, f"{score}", "mutation", family[parent % len(family)] if family else None)
            for place, (score, parent) in enumerate(members)
        ]
        family = shared.add_candidates(run, generation, places)
        for number, (score, _) in zip(family, members, strict=True):
            shared.save_evaluation(number, evaluation(images, score / 30))
    last = chosen % len(generations) + 1
    copy = fork(shared, run, last)
    for generation in range(1, last + 1):
        assert portrait(shared, copy, generation) == portrait(shared, run, generation)
    best = [
        (one.generation, one.position, one.score) for one in shared.leaderboard(run) if one.generation <= last
    ]
    assert [(one.generation, one.position, one.score) for one in shared.leaderboard(copy)] == best
    strangers = (
        "SELECT 1 FROM candidates c JOIN candidates p ON p.id = c.parent_id AND p.session_id != c.session_id"
    )
    assert shared._rows(strangers) == []
