"""What goes into the store comes out exactly; what is no value is refused."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from store_samples import PIPELINE, SCORER, evaluation, image, session, writing

from store import Store, StoreError, open_store
from store.codec import from_blob, to_blob, ulid
from store.incoming import NewCandidate, NewWriting
from store.records import Exchange

unique = itertools.count()

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
vectors = hnp.arrays(
    np.float32, st.integers(1, 40), elements=st.floats(allow_nan=False, allow_infinity=False, width=32)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=12,
)

HOSTILE = [
    "",
    "\x00",
    "a\x00b",
    "\x1b]0;title\x07\x1b[2J",
    "\r\n\t\x7f\x85",
    "\ufeffbom\uffff\U0010ffff",
    "\u202eright to left\u2066",
    "'; DROP TABLE prompts; --",
    "e\u0301 \u00e9 \U0001f469\u200d\U0001f680",
    "x" * 1_000_000,
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("values") / "store") as opened:
        yield opened


@pytest.fixture(scope="module")
def run(store: Store) -> str:
    return session(store)


@settings(max_examples=60, deadline=None)
@given(texts)
def test_a_prompt_comes_back_exactly(store: Store, run: str, text: str) -> None:
    generation = next(unique)
    (number,) = store.add_candidates(run, generation, [NewCandidate(0, text, "initial")])
    assert store.candidate(number).candidate.prompt == text
    assert [one.prompt for one in store.candidates(run, generation)] == [text]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_come_back_exactly_from_every_column(store: Store, run: str, text: str) -> None:
    key = f"hostile {next(unique)}"
    written = NewWriting(key, "mutations", text, [text], [Exchange(text, text, 3, text)], 1, "writer")
    store.save_writing(run, written)
    found = store.find_writing(key)
    assert found is not None
    assert (found.prompt, found.texts, found.exchanges) == (text, (text,), (Exchange(text, text, 3, text),))

    store.save_text_embeddings(SCORER, {text: [1.0, 2.0]})
    assert list(store.find_text_embeddings(SCORER, [text, "never embedded"])) == [text]

    (drawn,) = store.save_images([image(text, 5)])
    assert store.find_images(text, [5], PIPELINE, SCORER)[5].id == drawn

    (number,) = store.add_candidates(run, next(unique), [NewCandidate(0, text, "human")])
    store.save_evaluation(number, evaluation([drawn], 0.5, [text]))
    evidence = store.candidate(number)
    assert evidence.evaluation is not None
    assert [one.text for one in evidence.evaluation.variations] == [text]

    store.create_session(name=text, seed=0, config_json=text, models_json=text)
    assert store.sessions()[0].name == text
    seq = store.append_event(run, "note", {text: text})
    assert store.events(run, seq - 1)[0].payload == {text: text}


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(), json_values, max_size=4))
@example({"path": "caf\udce9.png"})
def test_an_event_comes_back_exactly(store: Store, run: str, payload: dict[str, object]) -> None:
    """Even with a lone surrogate in it, as an odd file name in an error has."""
    seq = store.append_event(run, "note", payload)
    (event,) = store.events(run, seq - 1)
    assert (event.seq, event.kind, event.payload) == (seq, "note", payload)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=3000), vectors, st.integers(0, 2**63 - 1))
def test_an_image_comes_back_exactly(store: Store, png: bytes, vector: np.ndarray, seed: int) -> None:
    prompt = f"prompt {next(unique)}"
    (number,) = store.save_images([replace(image(prompt, seed, png), embedding=vector)])
    found = store.find_images(prompt, [seed, 1], PIPELINE, SCORER)[seed]
    assert found.id == number
    assert found.path.read_bytes() == png
    assert found.embedding.dtype == np.float32
    assert np.array_equal(found.embedding, vector)
    assert (found.blank, found.mean_rgb) == (False, (0.25, 0.5, 0.75))


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(-2, 2, width=32)
    )
)
def test_a_matrix_comes_back_in_its_shape(matrix: np.ndarray) -> None:
    blob = to_blob("matrix", matrix[:, ::-1], matrix.shape)
    assert blob == matrix[:, ::-1].astype("<f4").tobytes()
    assert np.array_equal(from_blob(blob, matrix.shape), matrix[:, ::-1])


@pytest.mark.parametrize("surrogate", ["\ud800", "unheardof \udfff", "caf\udce9"])
def test_a_lone_surrogate_is_refused_in_one_sentence(store: Store, run: str, surrogate: str) -> None:
    exchanges = [Exchange("q", surrogate, 0, "accepted")]
    attempts = [
        lambda: store.add_candidates(run, next(unique), [NewCandidate(0, surrogate, "human")]),
        lambda: store.save_images([image(surrogate, 1)]),
        lambda: store.save_text_embeddings(SCORER, {surrogate: [1.0]}),
        lambda: store.save_writing(run, NewWriting("k", "random", "", [surrogate], [], 0, "w")),
        lambda: store.save_writing(run, NewWriting("k", "random", "", [], exchanges, 0, "w")),
        lambda: store.create_session(name=surrogate, seed=0, config_json="", models_json=""),
    ]
    for attempt in attempts:
        with pytest.raises(StoreError, match="half of a surrogate pair") as caught:
            attempt()
        assert caught.value.exit_code == 2
        str(caught.value).encode()  # the message itself can be printed
    assert store.search(surrogate) == ()
    assert store.find_writing("k") is None
    with pytest.raises(StoreError, match="no session"):
        store.session(surrogate)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_never_stored(store: Store, run: str, bad: float) -> None:
    (drawn,) = store.save_images([image("finite", 1)])
    (number,) = store.add_candidates(run, next(unique), [NewCandidate(0, "finite", "initial")])

    def changed(**fields: object) -> None:
        store.save_evaluation(number, replace(evaluation([drawn], 0.5), **fields))  # type: ignore[arg-type]

    attempts = [
        lambda: changed(scores={"information": bad}),
        lambda: changed(scores={"information": 0.1, "paper": bad}),
        lambda: changed(similarity=np.array([[bad], [0]], dtype=np.float32)),
        lambda: changed(coverage=np.array([bad, 0])),
        lambda: changed(alignment=np.array([bad])),
        lambda: store.save_text_embeddings(SCORER, {"finite": [bad]}),
        lambda: store.append_event(run, "note", {"x": bad}),
    ]
    for attempt in attempts:
        with pytest.raises(StoreError, match=r"(?i)nan|inf") as caught:
            attempt()
        assert caught.value.exit_code == 3
    evidence = store.candidate(number)
    assert (evidence.candidate.state, evidence.evaluations) == ("waiting", ())
    assert store.find_text_embeddings(SCORER, ["finite"]) == {}


def test_shapes_that_do_not_fit_are_refused(store: Store, run: str) -> None:
    (drawn,) = store.save_images([image("shape", 1)])
    (number,) = store.add_candidates(run, next(unique), [NewCandidate(0, "shape", "initial")])
    for field, value in [
        ("similarity", np.zeros((1, 2), np.float32)),
        ("coverage", np.zeros(3)),
        ("alignment", np.zeros((1, 1))),
    ]:
        new = replace(evaluation([drawn], 0.5), **{field: value})  # type: ignore[arg-type]
        with pytest.raises(StoreError, match=r"has the shape .* where .* is needed"):
            store.save_evaluation(number, new)
    empty = replace(evaluation([drawn], 0.5), images=[], similarity=np.zeros((2, 0), np.float32))
    with pytest.raises(StoreError, match="has the shape"):
        store.save_evaluation(number, empty)


def test_words_outside_a_vocabulary_and_numbers_out_of_range_are_refused(store: Store, run: str) -> None:
    for attempt, named in [
        (lambda: store.set_session_state(run, "dreaming"), "mining, paused"),  # type: ignore[arg-type]
        (lambda: store.add_candidates(run, 0, [NewCandidate(0, "x", "alien")]), "human"),  # type: ignore[arg-type]
        (lambda: store.save_writing(run, writing("k2", "x", [], kind="poem")), "variations"),
        (lambda: store.create_session(name="", seed=2**63, config_json="", models_json=""), "64 bits"),
        (lambda: store.candidate(2**70), "64 bits"),
    ]:
        with pytest.raises(StoreError, match=named) as caught:
            attempt()
        assert caught.value.exit_code == 2


def test_ulids_are_well_formed_and_sort_by_time() -> None:
    made = [ulid() for _ in range(2000)]
    assert len(set(made)) == len(made)
    assert all(len(one) == 26 and one[0] in "01234567" for one in made)
    assert [one[:10] for one in made] == sorted(one[:10] for one in made)


def test_numpy_integers_are_taken_as_numbers(store: Store) -> None:
    store.save_images([replace(image("numpy", 0), seed=np.int64(6))])  # type: ignore[arg-type]
    assert list(store.find_images("numpy", [np.int64(6)], PIPELINE, SCORER)) == [6]  # type: ignore[list-item]
