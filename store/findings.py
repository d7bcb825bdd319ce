"""What confirmations found out: by session, and by candidate."""

from __future__ import annotations

import json
from collections.abc import Iterable

from store.images import image_path
from store.queries import Queries, Row, known_text
from store.records import CeilingImage, Confirmation, ConfirmedScore, Finding, MissedConcept
from store.vocabulary import Role

CONFIRMATIONS = """
SELECT c.id, c.session_id, c.command_id, c.images, c.created_at, r.created_at, coalesce(r.score_name, ''),
       r.reliability, r.reliability_low, r.reliability_high, r.noise_floor, r.mined_p, r.inflation, r.random_score
FROM confirmations c LEFT JOIN confirmation_results r ON r.confirmation_id = c.id
WHERE c.session_id = ?
"""

FINDINGS = """
SELECT s.candidate_id, p.text, s.role, r.score_name, s.search_score, s.rank_score, s.score, s.low, s.high, s.shrunk,
       s.p, s.q, s.claimed, e.images, r.random_score
FROM confirmed_scores s
JOIN confirmation_results r ON r.confirmation_id = s.confirmation_id
JOIN candidates c ON c.id = s.candidate_id
JOIN prompts p ON p.id = c.prompt_id
JOIN evaluations e ON e.id = s.evaluation_id
WHERE s.confirmation_id = ?
ORDER BY s.role, coalesce(s.rank_score, s.score), s.candidate_id
"""

CONFIRMED = """
SELECT s.candidate_id, c.session_id, p.text, s.role, r.score_name, s.score, s.low, s.high, s.claimed
FROM (SELECT c.session_id, max(c.id) AS id FROM confirmations c
      JOIN confirmation_results r ON r.confirmation_id = c.id
      WHERE c.session_id IN (SELECT value FROM json_each(?)) GROUP BY c.session_id) latest
JOIN confirmed_scores s ON s.confirmation_id = latest.id
JOIN confirmation_results r ON r.confirmation_id = latest.id
JOIN candidates c ON c.id = s.candidate_id
JOIN prompts p ON p.id = c.prompt_id
ORDER BY c.session_id, s.role, coalesce(s.rank_score, s.score), s.candidate_id
"""

CEILINGS = """
SELECT l.candidate_id, l.position, l.text, l.coverage, l.ceiling, l.verdict,
       i.id, i.seed, i.sha256, i.blank, e.alignment
FROM ceilings l
LEFT JOIN evaluation_images e ON e.evaluation_id = l.evaluation_id
    AND e.position BETWEEN l.first_image AND l.first_image + l.images - 1
LEFT JOIN images i ON i.id = e.image_id
WHERE l.confirmation_id = ?
ORDER BY l.candidate_id, l.position, e.alignment DESC, e.position
"""


class FindingQueries(Queries):
    """Questions about confirmed scores."""

    def confirmations(self, session_id: str) -> tuple[Confirmation, ...]:
        """All confirmations of a session, also one that is still being measured; the latest first."""
        with self._snapshot():
            rows = self._rows(CONFIRMATIONS + "ORDER BY c.id DESC", known_text(session_id))
            return tuple(self._confirmation(row) for row in rows)

    def confirmation(self, session_id: str) -> Confirmation | None:
        """The latest finished confirmation of a session; None where there is none."""
        with self._snapshot():
            rows = self._rows(
                CONFIRMATIONS + "AND r.confirmation_id IS NOT NULL ORDER BY c.id DESC LIMIT 1",
                known_text(session_id),
            )
            return self._confirmation(rows[0]) if rows else None

    def any_confirmed(self) -> bool:
        """Whether a confirmation of any session is finished."""
        ((found,),) = self._rows("SELECT EXISTS (SELECT 1 FROM confirmation_results)")
        return bool(found)

    def findings(self, session_id: str) -> tuple[Finding, ...]:
        """The mined prompts of a session's latest finished confirmation, by rank; empty where there is none."""
        found = self.confirmation(session_id)
        return found.findings if found is not None else ()

    def confirmed(self, session_ids: Iterable[str]) -> dict[int, ConfirmedScore]:
        """What the latest finished confirmation of each session found, by candidate: mined ones first, by rank."""
        known = json.dumps([known_text(one) for one in dict.fromkeys(session_ids)])
        found = {}
        for *measured, claimed in self._rows(CONFIRMED, known):
            candidate, session_id, prompt, role, score_name, score, low, high = measured
            found[candidate] = ConfirmedScore(
                candidate, session_id, prompt, role, score_name, score, low, high, bool(claimed)
            )
        return found

    def _confirmation(self, row: Row) -> Confirmation:
        number, session_id, command_id, images, created_at, finished_at, score_name, *figures = row
        members = self._rows(
            "SELECT candidate_id, role FROM confirmation_members WHERE confirmation_id = ? ORDER BY position",
            number,
        )
        found = self._findings(number) if finished_at is not None else ()
        reliability, low, high, noise_floor, mined_p, inflation, random_score = figures
        return Confirmation(
            id=number,
            session_id=session_id,
            command_id=command_id,
            images=images,
            created_at=created_at,
            members=tuple((candidate, role) for candidate, role in members),
            finished_at=finished_at,
            score_name=score_name,
            reliability=reliability,
            reliability_low=low,
            reliability_high=high,
            noise_floor=noise_floor,
            mined_p=mined_p,
            inflation=inflation,
            random_score=random_score,
            findings=tuple(one for one in found if one.role == "mined"),
            randoms=tuple(one for one in found if one.role == "random"),
        )

    def _findings(self, confirmation_id: int) -> tuple[Finding, ...]:
        missed = self._missed(confirmation_id)
        ranks: dict[Role, int] = {"mined": 0, "random": 0}
        found = []
        for row in self._rows(FINDINGS, confirmation_id):
            candidate, prompt, role, name, search, rank_score, score, *rest = row
            low, high, shrunk, p, q, claimed, images, others = rest
            ranks[role] += 1
            seen = others - search if others is not None else 0.0
            found.append(
                Finding(
                    confirmation_id=confirmation_id,
                    candidate_id=candidate,
                    prompt=prompt,
                    role=role,
                    rank=ranks[role],
                    score_name=name,
                    search_score=search,
                    rank_score=rank_score,
                    score=score,
                    low=low,
                    high=high,
                    shrunk=shrunk,
                    shrinkage=1 - (others - score) / seen if seen > 0 else None,
                    p=p,
                    q=q,
                    claimed=bool(claimed),
                    images=images,
                    missed=missed.get(candidate, ()),
                )
            )
        return tuple(found)

    def _missed(self, confirmation_id: int) -> dict[int, tuple[MissedConcept, ...]]:
        concepts: dict[tuple[int, int], MissedConcept] = {}
        images: dict[tuple[int, int], list[CeilingImage]] = {}
        for candidate, position, text, coverage, ceiling, verdict, *image in self._rows(
            CEILINGS, confirmation_id
        ):
            key = (candidate, position)
            concepts[key] = MissedConcept(text, coverage, ceiling, ceiling - coverage, verdict, ())
            number, seed, name, blank, similarity = image
            if number is not None:
                path = image_path(self.folder, name)
                images.setdefault(key, []).append(CeilingImage(number, seed, path, bool(blank), similarity))
        found: dict[int, list[MissedConcept]] = {}
        for (candidate, position), one in concepts.items():
            whole = MissedConcept(
                *(one.text, one.coverage, one.ceiling, one.gap, one.verdict),
                images=tuple(images.get((candidate, position), ())),
            )
            found.setdefault(candidate, []).append(whole)
        return {candidate: tuple(list_) for candidate, list_ in found.items()}
