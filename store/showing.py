"""What the gallery asks: of every candidate of a generation the image that some variation describes best."""

from __future__ import annotations

from store.codec import from_blob
from store.images import image_path
from store.queries import Queries, Row, known_text
from store.records import Candidate, ImageEvidence, ShownCandidate

_SHOWN = """
SELECT c.id, c.session_id, c.generation, c.position, p.text, c.origin, c.parent_id, c.writing_id, c.state,
       c.reason, c.score_name, c.score,
       i.id, i.seed, i.sha256, i.width, i.height, i.blank, i.red, i.green, i.blue, x.alignment,
       e.id, x.position, e.variations, e.images, e.similarity
FROM candidates c
JOIN prompts p ON p.id = c.prompt_id
JOIN evaluations e ON e.id = c.evaluation_id
JOIN evaluation_images x ON x.evaluation_id = e.id AND x.position = (
    SELECT position FROM evaluation_images WHERE evaluation_id = e.id ORDER BY alignment DESC, position LIMIT 1)
JOIN images i ON i.id = x.image_id
WHERE c.session_id = ? AND c.generation = ? AND c.score IS NOT NULL
ORDER BY c.score, c.id LIMIT ?
"""
_END = "SELECT generation FROM candidates WHERE session_id = ? AND state = 'scored' ORDER BY generation {} LIMIT 1"


class ShowingQueries(Queries):
    """The questions of a contact sheet."""

    def scored_generations(self, session_id: str) -> tuple[int, int, int] | None:
        """The first and the newest generation with a score, and how many candidates the newest has with one."""
        known = known_text(session_id)
        with self._snapshot():
            ends = [self._rows(_END.format(order), known) for order in ("ASC", "DESC")]
            if not all(ends):
                return None
            (((first,),), ((newest,),)) = ends
            ((scored,),) = self._rows(
                "SELECT count(*) FROM candidates WHERE session_id = ? AND generation = ? AND state = 'scored'",
                known,
                newest,
            )
        return first, newest, scored

    def best_images(self, session_id: str, generation: int, limit: int = 400) -> tuple[ShownCandidate, ...]:
        """The scored candidates of a generation, lowest search score first, each with its best-aligned image."""
        with self._snapshot():
            return tuple(
                self._shown(row) for row in self._rows(_SHOWN, known_text(session_id), generation, limit)
            )

    def _shown(self, row: Row) -> ShownCandidate:
        number, seed, name, width, height, blank, red, green, blue, alignment = row[12:22]
        evaluation, draw, rows, columns, similarity = row[22:]
        closest = int(from_blob(similarity, (rows, columns))[:, draw].argmax())
        ((text,),) = self._rows(
            "SELECT text FROM evaluation_variations WHERE evaluation_id = ? AND position = ?",
            evaluation,
            closest,
        )
        return ShownCandidate(
            candidate=Candidate(*row[:12]),
            image=ImageEvidence(
                id=number,
                seed=seed,
                path=image_path(self.folder, name),
                sha256=name,
                width=width,
                height=height,
                blank=bool(blank),
                mean_rgb=(red, green, blue),
                alignment=alignment,
            ),
            draw=draw,
            draws=columns,
            closest=text,
        )
