"""Meta-prompt files: found, checked, filled in, and never fooled by what is filled in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InputError
from engine.models.metaprompts import REQUIRED, MetaPrompt, load_metaprompts

LINE = "Vary[[ only {axis}]]: {prompt}"


def parse(source: str, kind: str = "variations") -> MetaPrompt:
    return MetaPrompt.parse(kind, source, "x.txt")


def test_optional_stretches_come_and_go_with_their_value() -> None:
    meta = parse(LINE)
    assert meta.fill(prompt="a cat", axis="") == "Vary: a cat"
    assert meta.fill(prompt="a cat", axis="size") == "Vary only size: a cat"


def test_comments_are_not_sent() -> None:
    assert parse("# {nonsense} is fine here\n" + LINE).fill(prompt="#1", axis="") == "Vary: #1"


@given(st.text(alphabet=st.sampled_from("{}[]axisprompt") | st.characters(), min_size=1))
def test_a_prompt_is_put_in_as_it_is_and_never_read(prompt: str) -> None:
    filled = parse("Vary[[ only {axis}]]: <{prompt}>").fill(prompt=prompt, axis=prompt)
    assert filled == f"Vary only {prompt}: <{prompt}>"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("", "empty"),
        ("# only a comment", "empty"),
        ("Vary {axis}", "lacks the placeholder {prompt}"),
        ("Vary {prompt}", "lacks the placeholder {axis}"),
        (LINE + " {colour}", "unknown placeholder {colour}"),
        (LINE + "[[ always ]]", "without a placeholder"),
    ],
)
def test_an_unusable_file_is_refused_with_the_reason(source: str, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(source)
    assert complaint in str(caught.value)
    assert "x.txt" in str(caught.value)


def test_braces_that_are_no_placeholder_stay() -> None:
    assert parse(LINE + ' {"a": 1} {}').fill(prompt="p") == 'Vary: p {"a": 1} {}'


def test_the_defaults_are_usable_and_leave_no_trace_of_their_syntax() -> None:
    for kind, meta in load_metaprompts(None).items():
        full = meta.fill(prompt="a cat", axis="gender", theme="school", avoid="- a dog")
        bare = meta.fill(prompt="a cat")
        for text in (full, bare):
            assert not set("{}[]#") & set(text)
        for name in REQUIRED[kind]:
            assert {"prompt": "a cat", "axis": "gender", "theme": "school"}[name] in full
        assert "gender" not in bare
        assert "school" not in bare


def test_a_directory_overrides_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "variations.txt").write_text(LINE, encoding="utf-8")
    loaded = load_metaprompts(tmp_path)
    assert loaded["variations"].text == LINE
    assert loaded["random"] == load_metaprompts(None)["random"]


def test_bad_directories_and_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no directory"):
        load_metaprompts(tmp_path / "nowhere")
    (tmp_path / "random.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        load_metaprompts(tmp_path)
    (tmp_path / "random.txt").write_text("x" * 40_000, encoding="utf-8")
    with pytest.raises(InputError, match="longer than"):
        load_metaprompts(tmp_path)
    (tmp_path / "random.txt").unlink()
    (tmp_path / "random.txt").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        load_metaprompts(tmp_path)


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "random.txt")
    with pytest.raises(InputError, match="not a file"):
        load_metaprompts(tmp_path)
