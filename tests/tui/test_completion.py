"""What the filter that is typed may go on as."""

from __future__ import annotations

import pytest

from minegap_tui.view.completion import MOST_OFFERED, Known, Stem, offers, stem

KNOWN = Known(["01NEW", "01OLD"], ["sd-turbo", "micro"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("nurse ", None),
        ("nur", Stem(0, "nur")),
        ("-nur", Stem(1, "nur", whole=1)),
        ("gen:3 nur", Stem(6, "nur", whole=6)),
        ('"in a gar', None),
        ('"in a garden" nu', Stem(14, "nu", whole=14)),
        ("origin:", Stem(7, "", "origin")),
        ("x -Origin:human,el", Stem(16, "el", "origin", 3)),
        ("state:fa", Stem(6, "fa", "state")),
        ("session:01m", Stem(8, "01m", "session")),
        ("model:a,b", Stem(6, "a,b", "model")),
    ],
)
def test_what_is_being_typed(text: str, expected: Stem | None) -> None:
    assert stem(text, len(text)) == expected


def test_only_what_ends_at_the_cursor_is_completed() -> None:
    assert stem("nurse", 3) is None
    assert stem("nur se", 3) == Stem(0, "nur")


@pytest.mark.parametrize(
    ("typed", "words", "expected"),
    [
        ("s", (), ("score<", "state:", "session:")),
        ("se", ("seven", "sea"), ("session:", "seven", "sea")),
        ("sea", ("sea", "seal"), ("seal",)),
        ("origin:H", (), ("human",)),
        ("state:", (), ("waiting", "scored", "failed")),
        ("session:01o", (), ("01OLD",)),
        ("model:", (), ("sd-turbo", "micro")),
        ("score<", (), ()),
        ("zebra", (), ()),
    ],
)
def test_what_is_offered(typed: str, words: tuple[str, ...], expected: tuple[str, ...]) -> None:
    found = stem(typed, len(typed))
    assert found is not None
    assert offers(found, KNOWN, words) == expected


def test_a_line_has_room_for_some() -> None:
    assert len(offers(Stem(0, "w"), KNOWN, [f"w{n}" for n in range(99)])) == MOST_OFFERED


@pytest.mark.parametrize(
    ("typed", "word"), [("n", ""), ("nu", "nu"), ("origin:hu", ""), ("x:y", ""), ("a-b", ""), ("çı", "çı")]
)
def test_words_are_looked_up_from_two_letters_on(typed: str, word: str) -> None:
    found = stem(typed, len(typed))
    assert found is not None
    assert found.word == word
