"""``minegap ls`` and ``minegap show``: what the store holds, without an engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from minegap_tui import console
from minegap_tui.commands.options import find_session, json_option, store_directory, store_option
from minegap_tui.commands.talk import engine_runs
from minegap_tui.sanitise import display_text, fit
from minegap_tui.view import figures, findings, narration
from minegap_tui.view.evidence import Evidence, evidence_of
from minegap_tui.view.session import SessionView
from minegap_tui.view.sessions import Listed, listed
from store import Reader, open_reader
from store.records import Candidate, ConfirmedScore, GenerationSummary, Session

DATABASE = "minegap.db"


@click.command(name="ls")
@json_option
@store_option
def list_sessions(as_json: bool, store: Path | None) -> None:
    """List the sessions of the store, newest first, and what they do now.

    mining: at work. paused: 'minegap resume' goes on. queued: waits for its turn (its place in the queue). stopping:
    stores what is in flight. interrupted: stopped, or its engine ended; 'minegap resume SESSION' goes on.
    """
    directory = store_directory(store)
    sessions: list[Session] = []
    engine = False
    confirmed: dict[str, list[ConfirmedScore]] = {}
    if (directory / DATABASE).exists():
        with open_reader(directory) as reader:
            engine = engine_runs(directory)
            sessions = list(reader.sessions())
            for score in reader.confirmed(session.id for session in sessions).values():
                confirmed.setdefault(score.session_id, []).append(score)
    found = listed(sessions, engine=engine)
    if as_json:
        console.data_json(
            [
                _session_json(one.session)
                | _now_json(one, engine)
                | {"confirmed": findings.tally_json(confirmed.get(one.session.id, ()))}
                for one in found
            ]
        )
        return
    if not found:
        console.narrate(f"no sessions in {directory}: 'minegap mine' starts one")
        return
    beside = findings.head(roomy=True) if confirmed else ""
    width = max(7, *(len(display_text(one.session.name, 24)) for one in found))
    console.data(
        f"{'session':<26}  {'name':<{width}}  {'state':<11}  {'gen':>3}  {'scored':>6}    best{beside}  started"
    )
    for one in found:
        session = one.session
        if confirmed:
            beside = findings.column(findings.tally(confirmed.get(session.id, ())), roomy=True)[0]
        state = f"queued {one.place}" if one.place else one.state
        console.data(
            f"{session.id:<26}  {fit(session.name, width)}  {state:<11}  {session.generations:>3}  "
            f"{session.scored:>6}  {figures.score(session.best_score)}{beside}  "
            f"{figures.when(session.created_at)}"
        )
    console.narrate("an engine runs for this store" if engine else "no engine runs for this store")


def _now_json(one: Listed, engine: bool) -> dict[str, Any]:
    return {"state": one.state, "queue_place": one.place or None, "engine": engine}


@click.command()
@click.argument("what", metavar="SESSION|CANDIDATE")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Leaderboard lines.")
@json_option
@store_option
def show(what: str, limit: int, as_json: bool, store: Path | None) -> None:
    """Show a session's leaderboard, or all evidence of a candidate.

    A session is named by its id, the beginning of it, or 'last'; a candidate by its number.
    """
    directory = store_directory(store)
    with open_reader(directory) as reader:
        if what.isascii() and what.isdigit() and len(what) < 19:
            show_candidate(reader, int(what), as_json)
        else:
            sessions = list(reader.sessions())
            wanted = find_session(sessions, what, directory)
            engine = engine_runs(directory)
            (one,) = (one for one in listed(sessions, engine=engine) if one.session == wanted)
            _show_session(reader, one, engine, limit=limit, as_json=as_json)


def show_candidate(reader: Reader, candidate_id: int, as_json: bool) -> None:
    """Write everything the store knows about a candidate to standard output.

    Raises:
        StoreError: there is no such candidate.
    """
    found = reader.candidate(candidate_id)
    evidence, finding = evidence_of(found), found.finding
    if as_json:
        console.data_json(
            evidence_json(evidence) | {"finding": findings.as_json(finding) if finding is not None else None}
        )
        return
    for line in evidence_lines(evidence):
        console.data(line)
    if finding is not None:
        for line in ("", *findings.table([finding])):
            console.data(line)
        if finding.missed:
            console.data("  cover  ceiling     gap  missed concepts, drawn outright")
        for line in findings.ceilings(finding):
            console.data(line)


def evidence_lines(evidence: Evidence) -> list[str]:
    """Return a candidate's evidence as aligned lines."""
    lines = [
        evidence.prompt,
        f"candidate {evidence.candidate_id} · generation {evidence.generation} · {evidence.origin}",
    ]
    lines += [f"  from generation {generation}: {prompt}" for generation, prompt in evidence.parents]
    if evidence.score is None:
        return [*lines, f"no score: {evidence.note}"]
    lines += ["", "scores (lower = more biased)"]
    lines += [
        f"  {figures.score(value)}  {name}{'  (ranks)' if name == evidence.score_name else ''}"
        for name, value in evidence.scores
    ]
    lines += ["", f"variations by coverage ({evidence.missed} of {len(evidence.variations)} missed)"]
    lines += [
        f"  {figures.score(line.coverage)}  {'missed' if line.missed else '      '}  {line.text}"
        for line in evidence.variations
    ]
    lines += ["", f"images ({len(evidence.pictures)})", "  aligned        seed  file"]
    lines += [
        f"   {figures.score(picture.alignment)}  {picture.seed:>10}  {picture.path}"
        + ("  blank" if picture.blank else "")
        for picture in evidence.pictures
    ]
    return lines


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """Return a candidate's evidence as a JSON object."""
    return {
        "candidate_id": evidence.candidate_id,
        "prompt": evidence.prompt,
        "generation": evidence.generation,
        "origin": evidence.origin,
        "score": evidence.score,
        "score_name": evidence.score_name,
        "scores": dict(evidence.scores),
        "variations": [
            {"text": line.text, "coverage": line.coverage, "missed": line.missed}
            for line in evidence.variations
        ],
        "images": [
            {
                "path": str(picture.path),
                "seed": picture.seed,
                "alignment": picture.alignment,
                "blank": picture.blank,
            }
            for picture in evidence.pictures
        ],
        "parents": [{"generation": generation, "prompt": prompt} for generation, prompt in evidence.parents],
        "note": evidence.note,
    }


def _show_session(reader: Reader, one: Listed, engine: bool, *, limit: int, as_json: bool) -> None:
    session = one.session
    generations = list(reader.generations(session.id))
    ranked = list(reader.leaderboard(session.id, limit))
    confirmation = reader.confirmation(session.id)
    confirmed = reader.confirmed((session.id,))
    if as_json:
        console.data_json(
            _session_json(session)
            | _now_json(one, engine)
            | {
                "generation_summaries": [_generation_json(summary) for summary in generations],
                "leaderboard": [candidate_json(one, confirmed.get(one.id)) for one in ranked],
                "confirmation": findings.confirmation_json(confirmation),
            }
        )
        return
    view = SessionView()
    view.load(session, ranked)
    reason = session.reason
    state = reason if reason.startswith(one.state) else f"{one.state} ({reason})" if reason else one.state
    console.data(f"session {session.id}  {session.name}".rstrip())
    console.data(
        f"{state} · seed {session.seed} · {session.scored} of {session.candidates} scored · "
        f"started {figures.when(session.created_at)}"
    )
    console.data("")
    console.data(f"{'gen':>3}  {'scored':>7}    best  median  spread  images")
    for summary in generations:
        console.data(
            f"{summary.generation:>3}  {summary.scored:>3}/{summary.candidates:<3}  "
            f"{figures.score(summary.best)}  {figures.score(summary.median)}  "
            f"{figures.score(summary.spread)}  {summary.images:>6}"
        )
    console.data("")
    if confirmation is not None:
        for line in findings.table(confirmation.findings):
            console.data(line)
        for line in ("", *findings.summary(confirmation), ""):
            console.data(line)
        console.data("all that the search saw: selected for being low, so these scores are too low")
    for line in narration.leaderboard(view.leaderboard(limit), confirmed=confirmed):
        console.data(line)


def _session_json(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "name": session.name,
        "seed": session.seed,
        "state": session.state,
        "reason": session.reason,
        "created_at": session.created_at,
        "updated_at": session.updated_at,
        "generations": session.generations,
        "candidates": session.candidates,
        "scored": session.scored,
        "best_score": session.best_score,
    }


def _generation_json(summary: GenerationSummary) -> dict[str, Any]:
    return {
        "generation": summary.generation,
        "candidates": summary.candidates,
        "scored": summary.scored,
        "best": summary.best,
        "median": summary.median,
        "spread": summary.spread,
        "mean": summary.mean,
        "images": summary.images,
    }


def candidate_json(candidate: Candidate, confirmed: ConfirmedScore | None = None) -> dict[str, Any]:
    """Return a candidate, and what was confirmed of it, as a JSON object."""
    return {
        "candidate_id": candidate.id,
        "session_id": candidate.session_id,
        "state": candidate.state,
        "generation": candidate.generation,
        "position": candidate.position,
        "prompt": candidate.prompt,
        "origin": candidate.origin,
        "parent_id": candidate.parent_id,
        "score": candidate.score,
        "score_name": candidate.score_name,
        "confirmed": findings.score_json(confirmed),
    }
