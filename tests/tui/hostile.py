"""Texts that would act on a terminal, a store that holds them in every field, and a judge of what came out."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from factory import drawn, measure

from engine.config import MiningConfig
from store import Store, open_store
from store.incoming import (
    NewCandidate,
    NewCeiling,
    NewConfirmationResult,
    NewConfirmedScore,
    NewEvaluation,
    NewImage,
    NewWriting,
)
from store.records import Exchange

SEQUENCES = (
    "\x1b]0;pwned\x07",
    "\x1b]2;pwned\x1b\\",
    "\x1b]52;c;cHduZWQ=\x07",
    "\x1b]8;;http://pwned\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]1337;File=inline=1:AAAA\x07",
    "\x1b[2J\x1b[31m\x1b[5m",
    "\x1b[8;10;10t\x1b[21t\x1b[6n",
    "\x1b_Gi=31,a=T;AAAA\x1b\\",
    "\x1bPq#0;2;0;0;0~-\x1b\\",
    "\x1bP+q544e\x1b\\\x1b^pm\x1b\\\x1bXsos\x1b\\",
    "\x1bc\x1b#8\x1b(0\x1bN\x1b7\x1b[?1049l",
    "\x9b31m\x9d0;pwned\x9c\x90q\x9c\x9fG\x9c",
    "\x1b[<0;1;1M\x1b[200~",
)
CONTROLS = "".join(map(chr, [*range(1, 32), *range(0x7F, 0xA0)]))
HIDDEN = (
    "\u202egnp.exe\u202c\u2066x\u2069\u200f\u061c"  # directions
    "\u200b\u200d\ufeff\u00ad\u2060"  # without width
    "\u2028\u2029"
    "\U000e0041\U000e0042\U000e007f"  # tags
    "\U0010eeee\u0305\u0305\ue000"  # the placeholder of kitty's pictures, private use
    "\ufff9a\ufffab\ufffb"
)
MARKUP = (
    "[@click=app.quit]x[/] [/] [bold [red]r[/red] [link=http://pwned] [50%] [a='b'] \\[ $p {0} %s :smile: <b>"
)
PIECES = (*SEQUENCES, CONTROLS, HIDDEN, MARKUP)
FOLDER = "st\x1b]0;pwned\x07\x9b31m\u202e[red] ore"
"""Name of a folder or a file."""
MEGABYTE = 1_000_000


def hostile(first: int = 0, words: str = "a nurse") -> str:
    """All of it behind some words; ``first`` is the piece that comes before the others, where no line cuts it off."""
    first %= len(PIECES)
    return f"{words} " + " ".join((*PIECES[first:], *PIECES[:first]))


def fill_hostile(directory: Path, state: str = "mining") -> tuple[str, dict[int, str]]:
    """Make two sessions with foreign text in every field; returns the newer one's id, and every prompt by candidate."""
    config = MiningConfig.model_validate(
        {
            "models": {"painter": f"/models/{hostile(2, 'painter')}", "pack": hostile(1, "pack")},
            "session": {"name": hostile(3, "session")[:100]},
        }
    ).model_dump_json()
    models = json.dumps({"painter": {"name": hostile(3), "path": hostile(4), "fingerprint": hostile(5)}})
    with open_store(directory) as store:
        for number in range(2):
            session = store.create_session(
                name=hostile(number), seed=1, config_json=config, models_json=models, state="mining"
            )
            said = (
                Exchange(hostile(6, "Mutate"), hostile(7), 4, "accepted"),
                Exchange(hostile(8, "Mutate"), hostile(9), 6, hostile(10, "lost the subject")),
            )
            writing = store.save_writing(
                session, NewWriting(f"m{number}", "mutations", hostile(0), [hostile(1)], said, 1, hostile(2))
            )
            prompts = [hostile(place) for place in range(len(PIECES))]
            prompts.append(hostile(0, "huge") + "\x1b[31m A" * (MEGABYTE // 7))
            prompts.append("[" * MEGABYTE)
            texts: dict[int, str] = {}
            scores: dict[int, float] = {}
            parents: list[int | None] = [None] * len(prompts)
            for generation in (1, 2):
                new = [
                    NewCandidate(place, f"{text} {generation}", "mutation", parents[place], writing)
                    for place, text in enumerate(prompts)
                ]
                ids = store.add_candidates(session, generation, new)
                parents = list(ids)
                texts |= {one: candidate.prompt for one, candidate in zip(ids, new, strict=True)}
                scores |= {
                    one: measure(store, one, hostile(place, "a variation"), (4, 2), 0.2, seed=place)
                    for place, one in enumerate(ids[1:])
                }
                store.set_candidate_state(ids[0], "failed", hostile(generation, "failed"))
            ranked = sorted(scores, key=lambda one: (scores[one], one))
            _confirm(store, session, ranked[:3], ranked[3:6])
            store.append_event(session, "notice", {"message": hostile(11, "notice")})
            store.append_event(
                session,
                "steered",
                {
                    "command_id": hostile(3),
                    "author": hostile(4),
                    "generation": 2,
                    "command": {"type": hostile(5)},
                    "sentence": hostile(12, "sentence") + "\ud83d",
                },
            )
            store.set_session_state(session, state if number else "failed", hostile(13, "reason"))  # type: ignore[arg-type]
    return session, texts


def _confirm(store: Store, session: str, mined: Sequence[int], others: Sequence[int]) -> None:
    """Make one of them a finding, whose missed concepts are foreign text, too."""
    members = [*((one, "mined") for one in mined), *((one, "random") for one in others)]
    number = store.freeze_shortlist(session, hostile(6, "command"), 4, members)  # type: ignore[arg-type]
    scores = [
        NewConfirmedScore(
            candidate_id=one,
            role=role,  # type: ignore[arg-type]
            evaluation_id=_drawn_again(store, one, "confirm", hostile(7, "fresh"), 900 + place),
            search_score=0.1,
            rank_score=0.3,
            score=0.2 + place / 100,
            low=0.15,
            high=0.25,
            shrunk=0.22,
            p=0.01,
            q=0.02,
            claimed=place == 0,
            ceiling_evaluation_id=_drawn_again(store, one, "ceiling", hostile(8, "ceiling"), 950 + place),
            ceilings=[
                NewCeiling(hostile(9 + at, verdict), 0.1, 0.5, verdict, at, at + 1)  # type: ignore[arg-type]
                for at, verdict in enumerate(("missed", "unreachable", "contradictory"))
            ],
        )
        for place, (one, role) in enumerate(members)
    ]
    store.save_confirmation(
        number, NewConfirmationResult("information", scores, 0.7, 0.4, 0.9, 0.1, 0.03, 0.24, 0.5)
    )


def _drawn_again(
    store: Store, candidate: int, purpose: Literal["confirm", "ceiling"], variation: str, seed: int
) -> int:
    images = store.save_images(
        [
            NewImage(
                variation,
                seed * 10 + one,
                "painter-1",
                drawn(one, seed),
                64,
                64,
                False,
                (0.5, 0.5, 0.5),
                16,
                "scorer-1",
                np.array([1.0, 0.0], dtype=np.float32),
            )
            for one in range(3)
        ]
    )
    return store.save_evaluation(
        candidate,
        NewEvaluation(
            images=images,
            variations=[variation],
            similarity=np.full((1, 3), 0.2, dtype=np.float32),
            scores={"information": 0.2},
            score_name="information",
            coverage=np.array([0.2], dtype=np.float32),
            alignment=np.full(3, 0.2, dtype=np.float32),
            missed=(),
            purpose=purpose,
        ),
    )


_WRITTEN = re.compile(
    r"""\x1b(?:
        \[(?:0|;|[1-4]|7|9|2[1-4789]|[34]8;2;\d{1,3};\d{1,3};\d{1,3}|[34]9)*m   # looks, in 24-bit colours only
      | \[\d+;\d+H                                                             # where to
      | \]22;[a-z-]*\x07                                                          # the pointer's shape
      | \[\?(?:7|25|1000|1002|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]    # modes that Textual sets
      | \[\?20(?:26|48)\$p
      | \[[<>=]\d*(?:;\d+)?u                                                   # keyboard protocol
    )""",
    re.VERBOSE,
)
"""Every sequence that the app writes itself."""


def foreign(written: bytes) -> set[str]:
    """Return what a terminal was given beside visible text and the app's own sequences."""
    text = _WRITTEN.sub("", written.decode("utf-8"))
    sequences = set(re.findall(r"\x1b.{0,12}", text, re.DOTALL))
    hidden = {
        f"U+{ord(character):04X}"
        for character in set(text) - {"\n", "\r", "\x1b"}
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    }
    return sequences | hidden
