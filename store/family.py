"""How a session's candidates descend from each other, and what the LLM wrote that made one of them."""

from __future__ import annotations

from store.codec import integer
from store.errors import StoreError
from store.queries import CANDIDATES, Queries, known_text
from store.records import FAMILY_PROMPT, Candidate, CandidateWritings, Relative

_FAMILY = """
SELECT c.id, c.parent_id, c.generation, substr(p.text, 1, :cut), c.origin, c.state, c.score
FROM candidates c JOIN prompts p ON p.id = c.prompt_id
WHERE c.session_id = :session AND c.generation > :after AND c.generation <= coalesce((
    SELECT generation FROM candidates WHERE session_id = :session AND generation > :after
    ORDER BY generation, position LIMIT 1 OFFSET :most - 1), 9223372036854775807)
ORDER BY c.generation, c.id
"""
FAMILY_PAGE = 5000

_WRITTEN_FOR = (
    "SELECT writing_id FROM evaluations WHERE candidate_id = ? AND writing_id IS NOT NULL "
    "GROUP BY writing_id ORDER BY max(id) DESC"
)


class FamilyQueries(Queries):
    """The questions about where candidates come from."""

    def family(self, session_id: str, after: int = -1, most: int = FAMILY_PAGE) -> tuple[Relative, ...]:
        """The candidates of a session, the oldest first: a parent stands before its children.

        Args:
            after: begin with the generation after this one.
            most: end with the generation that brings so many together; nothing comes after the last one.
        """
        rows = self._rows(_FAMILY, cut=FAMILY_PROMPT, session=known_text(session_id), after=after, most=most)
        return tuple(Relative(*row) for row in rows)

    def writings(self, candidate_id: int) -> CandidateWritings:
        """What the LLM was asked and said for a candidate: for its variations, and for the prompt itself.

        Raises:
            StoreError: there is no candidate with this id (exit 2).
        """
        with self._snapshot():
            candidate = author = self._member(candidate_id)
            while author.origin == "elite" and author.writing_id is None and author.parent_id is not None:
                author = self._member(author.parent_id)
            return CandidateWritings(
                candidate=candidate,
                variations=tuple(self._writing(key) for (key,) in self._rows(_WRITTEN_FOR, candidate.id)),
                prompt=self._writing(author.writing_id) if author.writing_id is not None else None,
                author=author,
            )

    def _member(self, candidate_id: int) -> Candidate:
        rows = self._rows(CANDIDATES + "WHERE c.id = ?", integer("candidate's id", candidate_id))
        if not rows:
            raise StoreError(f"There is no candidate {candidate_id} in {self.folder}.", 2)
        return Candidate(*rows[0])
