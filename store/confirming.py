"""The one writer: frozen shortlists and what confirmations found out."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import get_args

from store.codec import finite, integer, now, utf8
from store.errors import StoreError
from store.incoming import NewConfirmationResult, NewConfirmedScore
from store.vocabulary import Role, Verdict
from store.writer import Writer, new_id, one_of


class Confirming(Writer):
    """What ``store.Store`` is made of; see there."""

    def freeze_shortlist(
        self, session_id: str, command_id: str, images: int, members: Sequence[tuple[int, Role]]
    ) -> int:
        """Begin a confirmation: from here on its members are fixed; returns its id.

        The same command again keeps what it froze the first time.

        Args:
            images: that the third draw takes of each member.
            members: candidate ids and why each is there.
        """
        utf8("command's id", command_id)
        number = integer("number of images", images)
        for _, role in members:
            one_of("member's role", role, get_args(Role))
        with self._transaction() as database:
            known = database.execute(
                "SELECT id FROM confirmations WHERE session_id = ? AND command_id = ?",
                (session_id, command_id),
            ).fetchone()
            if known is not None:
                return int(known[0])
            cursor = database.execute(
                "INSERT INTO confirmations (session_id, command_id, images, created_at) VALUES (?, ?, ?, ?)",
                (session_id, command_id, number, now()),
            )
            confirmation_id = new_id(cursor)
            database.executemany(
                "INSERT INTO confirmation_members (confirmation_id, position, candidate_id, role) "
                "VALUES (?, ?, ?, ?)",
                [(confirmation_id, place, *member) for place, member in enumerate(members)],
            )
        return confirmation_id

    def save_confirmation(self, confirmation_id: int, result: NewConfirmationResult) -> None:
        """Store what a confirmation found out, all at once; one that has a result keeps it.

        Raises:
            StoreError: a number is NaN or infinite (exit 3), an id does not exist (exit 2).
        """
        figures = [
            None if value is None else finite(name, value)
            for name, value in (
                ("reliability", result.reliability),
                ("reliability's lower bound", result.reliability_low),
                ("reliability's upper bound", result.reliability_high),
                ("noise floor", result.noise_floor),
                ("p of the mined prompts", result.mined_p),
                ("inflation", result.inflation),
                ("random prompts' score", result.random_score),
            )
        ]
        with self._transaction() as database:
            known = database.execute(
                "SELECT 1 FROM confirmation_results WHERE confirmation_id = ?", (confirmation_id,)
            ).fetchone()
            if known is not None:
                return
            database.execute(
                "INSERT INTO confirmation_results VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (confirmation_id, result.score_name, *figures, now()),
            )
            for one in result.scores:
                _save_score(database, confirmation_id, one)


def _save_score(database: sqlite3.Connection, confirmation_id: int, one: NewConfirmedScore) -> None:
    one_of("member's role", one.role, get_args(Role))
    numbers = [
        None if value is None else finite(f"confirmed {name}", value)
        for name, value in (
            ("search score", one.search_score),
            ("second score", one.rank_score),
            ("score", one.score),
            ("lower bound", one.low),
            ("upper bound", one.high),
            ("shrunk score", one.shrunk),
            ("p", one.p),
            ("q", one.q),
        )
    ]
    database.execute(
        "INSERT INTO confirmed_scores VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (confirmation_id, one.candidate_id, one.role, one.evaluation_id, *numbers, int(one.claimed)),
    )
    if one.ceilings and one.ceiling_evaluation_id is None:
        raise StoreError("Ceilings need the evaluation that holds their images.", 2)
    for place, ceiling in enumerate(one.ceilings):
        one_of("ceiling's verdict", ceiling.verdict, get_args(Verdict))
        utf8("missed concept", ceiling.text)
        database.execute(
            "INSERT INTO ceilings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(confirmation_id, one.candidate_id, place, one.ceiling_evaluation_id, ceiling.text),
                *(finite("coverage", ceiling.coverage), finite("ceiling", ceiling.ceiling)),
                *(ceiling.verdict, ceiling.first_image, ceiling.images),
            ),
        )
