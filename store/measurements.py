"""The one writer, second half: images, embeddings and evaluations."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from store.codec import finite, integer, now, sha256, to_blob, utf8
from store.confirming import Confirming
from store.deletion import delete, refuse_deletion
from store.errors import StoreError, explained
from store.images import find_orphans, image_path, write_files
from store.incoming import NewEvaluation, NewImage
from store.lock import WriterLock
from store.records import Deleted
from store.vocabulary import Purpose
from store.writer import new_id, one_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Store(Confirming):
    """A store open for writing; made by ``store.open_store``. Closes with ``with`` or ``close``.

    Safe to use from several threads: they take turns.

    All methods that write raise StoreError: exit 3 where the disk is full or cannot be written (no row of
    that call is kept then, and it can be repeated once there is room) or where a number is no measurement,
    exit 2 for a text or an integer that cannot be stored or an id that does not exist.
    """

    def __init__(self, connection: sqlite3.Connection, folder: Path, lock: WriterLock) -> None:
        super().__init__(connection, folder, lock)
        self._unswept: set[str] = set()

    def save_images(self, images: Sequence[NewImage]) -> list[int]:
        """Store a batch: the files first, durably, then all rows at once; returns the images' ids in order.

        An image (prompt, seed, pipeline) that is stored already keeps its first file and numbers, even if
        drawing it again changed a low bit; an embedding by a scorer that it did not have is added.
        """
        for image in images:
            utf8("prompt", image.prompt)
        rows = [_image_row(image) for image in images]
        vectors = [to_blob("image's embedding", image.embedding, (None,)) for image in images]
        with self._lock, explained(self.folder):
            self._refuse_moved()
            fresh = [image.png for image in images if self._image_id(image) is None]
            write_files(self.folder, {sha256(png): png for png in fresh})
            ids = []
            with self._transaction() as database:
                for image, row, vector in zip(images, rows, vectors, strict=True):
                    image_id = self._image_id(image)
                    if image_id is None:
                        cursor = database.execute(
                            "INSERT INTO images (prompt_id, seed, pipeline, sha256, bytes, width, height, "
                            "blank, red, green, blue, batch_size, created_at) "
                            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                            (self._prompt_id(image.prompt), *row, now()),
                        )
                        image_id = new_id(cursor)
                    database.execute(
                        "INSERT INTO image_embeddings (image_id, scorer, vector) VALUES (?, ?, ?) "
                        "ON CONFLICT (image_id, scorer) DO NOTHING",
                        (image_id, image.scorer, vector),
                    )
                    ids.append(image_id)
        return ids

    def _image_id(self, image: NewImage) -> int | None:
        rows = self._rows(
            "SELECT id FROM images WHERE seed = ? AND pipeline = ? "
            "AND prompt_id = (SELECT id FROM prompts WHERE sha256 = ?)",
            int(image.seed),
            image.pipeline,
            sha256(image.prompt.encode()),
        )
        return int(rows[0][0]) if rows else None

    def save_text_embeddings(self, scorer: str, vectors: Mapping[str, ArrayLike]) -> None:
        """Store unit vectors, shape (D,), of texts; one that this scorer has embedded before is kept."""
        rows = [
            (scorer, sha256(utf8("text", text)), text, to_blob("text's embedding", vector, (None,)))
            for text, vector in vectors.items()
        ]
        with self._transaction() as database:
            database.executemany(
                "INSERT INTO text_embeddings (scorer, sha256, text, vector) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (scorer, sha256) DO NOTHING",
                rows,
            )

    def save_evaluation(self, candidate_id: int, new: NewEvaluation) -> int:
        """Store a measurement and mark its candidate ``scored``, together; returns the evaluation's id.

        A different measurement of the same candidate is added beside the old one; the latest of purpose
        ``search`` is the one that ranks.

        Raises:
            StoreError: a shape that does not fit, NaN or infinity (exit 3), an unknown image id (exit 2).
        """
        one_of("evaluation's purpose", new.purpose, get_args(Purpose))
        height, width = len(new.variations), len(new.images)
        similarity = to_blob("similarity matrix", new.similarity, (height, width))
        coverage = _column("coverage", new.coverage, height)
        alignment = _column("alignment", new.alignment, width)
        scores = sorted((metric, finite(f"score {metric}", value)) for metric, value in new.scores.items())
        if new.score_name not in new.scores:
            raise StoreError(f"The score {new.score_name} that ranks is not among the computed ones.", 3)
        for text in new.variations:
            utf8("variation", text)
        missed = {int(index) for index in new.missed}
        variations = [
            (position, text, coverage[position], int(position in missed))
            for position, text in enumerate(new.variations)
        ]
        images = [(position, int(image), alignment[position]) for position, image in enumerate(new.images)]
        content = json.dumps([new.purpose, new.score_name, new.writing_id, variations, images, scores])
        digest = sha256(content.encode() + similarity)
        with self._transaction() as database:
            known = database.execute(
                "SELECT id FROM evaluations WHERE candidate_id = ? AND digest = ?", (candidate_id, digest)
            ).fetchone()
            if known is not None:
                return int(known[0])
            cursor = database.execute(
                "INSERT INTO evaluations (candidate_id, purpose, score_name, variations, images, similarity, "
                "writing_id, digest, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    candidate_id,
                    new.purpose,
                    new.score_name,
                    height,
                    width,
                    similarity,
                    new.writing_id,
                    digest,
                    now(),
                ),
            )
            evaluation_id = new_id(cursor)
            database.executemany(
                "INSERT INTO evaluation_variations (evaluation_id, position, text, coverage, missed) "
                "VALUES (?, ?, ?, ?, ?)",
                [(evaluation_id, *row) for row in variations],
            )
            database.executemany(
                "INSERT INTO evaluation_images (evaluation_id, position, image_id, alignment) "
                "VALUES (?, ?, ?, ?)",
                [(evaluation_id, *row) for row in images],
            )
            database.executemany(
                "INSERT INTO scores (evaluation_id, metric, value) VALUES (?, ?, ?)",
                [(evaluation_id, *row) for row in scores],
            )
            database.execute(
                "UPDATE candidates SET state = 'scored', reason = '' WHERE id = ?", (candidate_id,)
            )
        return evaluation_id

    def delete_session(self, session_id: str) -> Deleted:
        """Delete a session's rows, all at once, with what it alone drew and had written; its files go next.

        ``remove_files`` takes ``Deleted.files``. Should this process end before that, the next writer finds them as
        orphans.

        Raises:
            StoreError: there is no such session, an engine has it, or another one was forked from it (exit 2).
        """
        with self._transaction() as database:
            refuse_deletion(database, session_id, self.session(session_id).state)
            deleted = delete(database, session_id)
        self._unswept |= set(deleted.files)
        return deleted

    def remove_files(self, names: Sequence[str]) -> None:
        """Remove the files of a deleted session, but those that a row names again; as many as it is given.

        Raises:
            StoreError: the disk does not allow it (exit 3); the next writer tries again.
        """
        with self._lock, explained(self.folder):
            named = {
                name
                for (name,) in self._rows(
                    "SELECT sha256 FROM images WHERE sha256 IN (SELECT value FROM json_each(?))",
                    json.dumps(list(names)),
                )
            }
            for name in names:
                if name not in named:
                    image_path(self.folder, name).unlink(missing_ok=True)
                self._unswept.discard(name)

    def close(self, *, clean: bool = True) -> None:
        """Close as ``Writer.close``; where files of a deleted session are left, the next writer looks for them."""
        super().close(clean=clean and not self._unswept)

    def orphans(self) -> tuple[Path, ...]:
        """Image files without a row, left by a writer that was killed; they cost only room."""
        with self._lock, explained(self.folder):
            known = {name for (name,) in self._rows("SELECT DISTINCT sha256 FROM images")}
            return tuple(find_orphans(self.folder, known))

    def remove_orphans(self) -> tuple[Path, ...]:
        """Delete those files; returns what is gone. Rows are never touched, nor files that a row names."""
        with self._lock, explained(self.folder):
            paths = self.orphans()
            for path in paths:
                path.unlink()
            return paths


def _image_row(image: NewImage) -> tuple[int | float | str, ...]:
    """The columns from ``seed`` to ``batch_size``."""
    return (
        integer("image's seed", image.seed),
        image.pipeline,
        sha256(image.png),
        len(image.png),
        image.width,
        image.height,
        int(image.blank),
        *(finite("image's mean colour", value) for value in image.mean_rgb),
        image.batch_size,
    )


def _column(name: str, values: ArrayLike, length: int) -> list[float]:
    to_blob(name, values, (length,))  # for its checks
    import numpy as np

    return [float(value) for value in np.asarray(values)]
