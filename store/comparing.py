"""What sessions measured, prompt by prompt: the question behind a comparison."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from store.queries import Queries, known_text
from store.vocabulary import Origin

# The latest search measurement alone: the score that selected a prompt is not the one that is reported.
_MEASURED = """
SELECT c.id, c.session_id, c.generation, c.origin, p.text, e.id, e.score_name, e.images, e.variations, e.digest,
       (SELECT json_group_object(metric, value) FROM scores WHERE evaluation_id = e.id)
FROM candidates c
JOIN prompts p ON p.id = c.prompt_id
JOIN evaluations e ON e.id = c.evaluation_id
WHERE c.session_id IN (SELECT value FROM json_each(?))
ORDER BY c.id
"""


@dataclass(frozen=True, slots=True)
class Measured:
    """A candidate and its latest search measurement.

    Attributes:
        scores: every metric that was computed, lower = more biased.
        images, variations: N and T of the similarity matrix.
        digest: of everything in the measurement; equal digests are the very same measurement.
    """

    candidate_id: int
    session_id: str
    generation: int
    origin: Origin
    prompt: str
    evaluation_id: int
    score_name: str
    images: int
    variations: int
    digest: str
    scores: Mapping[str, float]


class ComparingQueries(Queries):
    """Measurements of whole sessions, and what one of them left out."""

    def measured(self, session_ids: Sequence[str]) -> tuple[Measured, ...]:
        """Every scored candidate of these sessions with its latest search measurement, the oldest candidate first."""
        rows = self._rows(_MEASURED, json.dumps([known_text(one) for one in session_ids]))
        return tuple(Measured(*(*row[:-1], json.loads(row[-1]))) for row in rows)

    def missed(self, evaluation_id: int) -> tuple[str, ...]:
        """The missed concepts of one measurement, the least covered first."""
        rows = self._rows(
            "SELECT text FROM evaluation_variations WHERE evaluation_id = ? AND missed = 1 "
            "ORDER BY coverage, position",
            evaluation_id,
        )
        return tuple(text for (text,) in rows)
