"""The schema, as numbered steps that are only ever appended to.

Conventions: strict tables; integer keys except for sessions; ISO-8601 UTC text times; float32 little-endian
blobs; the reason for a column stands beside it in the SQL and so in the database itself (see ``.schema``).
Only ``sessions``, ``candidates`` and ``session_totals`` have columns that change; triggers keep every other row as it
was written and refuse to delete any row at all.
"""

from __future__ import annotations

from sqlite_utils import Migrations

from store.migrations.confirming import m010_confirmations
from store.migrations.mining import (
    m001_sessions_and_events,
    m002_prompts_and_writings,
    m003_candidates,
    m004_images_and_embeddings,
    m005_evaluations,
    m006_rows_are_kept,
    m007_views,
)
from store.migrations.standing import m011_standings_and_totals
from store.migrations.steering import m008_forks_and_steering, m009_sessions_know_their_command

migrations = Migrations("minegap")
for _step in (
    m001_sessions_and_events,
    m002_prompts_and_writings,
    m003_candidates,
    m004_images_and_embeddings,
    m005_evaluations,
    m006_rows_are_kept,
    m007_views,
    m008_forks_and_steering,
    m009_sessions_know_their_command,
    m010_confirmations,
    m011_standings_and_totals,
):
    migrations()(_step)
