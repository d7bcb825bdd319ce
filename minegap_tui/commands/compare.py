"""``minegap compare``: two sessions or two painters, prompt by prompt; the headless twin of the compare screen."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import click

from engine.config import MiningConfig, score_config
from engine.config_sources import parse_config
from engine.errors import InputError, MachineError
from engine.seeds import derive_seed
from minegap_tui import console
from minegap_tui.commands.follow import plain_sink
from minegap_tui.commands.options import find_session, json_option, store_directory, store_option
from minegap_tui.headless import run_engine
from minegap_tui.sanitise import display_text, fit
from minegap_tui.view import figures
from minegap_tui.view.compare import COLUMNS, Column, Comparison, Side, arranged, compare, score_of
from minegap_tui.view.contrast import Caution, Difference, cautions, differences, turned
from minegap_tui.view.findings import CLAIMED
from minegap_tui.view.paired import Estimate, Paired, paired
from minegap_tui.view.sides import PAINTER, Choice, find_painter, of_session, read_side
from minegap_tui.view.verdict import nothing_shared, verdict
from store import Reader, open_reader
from store.comparing import Measured

_WIDTH = 28


@click.command(name="compare")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--score", "metric", help="The score to compare  [default: the one that ranks A].")
@click.option(
    "--sort",
    "column",
    type=click.Choice(COLUMNS),
    default="difference",
    show_default=True,
    help="Order of the pairs.",
)
@click.option("--descending", is_flag=True, help="The other way round.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Most pairs shown.")
@click.option(
    "--remeasure",
    type=click.IntRange(1, 5000),
    metavar="N",
    help="First measure the N most biased prompts of each anew under both, in two new sessions, and compare those.",
)
@json_option
@store_option
def compare_command(
    a: str,
    b: str,
    metric: str | None,
    column: Column,
    descending: bool,
    limit: int,
    remeasure: int | None,
    as_json: bool,
    store: Path | None,
) -> int:
    """Compare the prompts that two sides share, score by score.

    A and B are sessions (an id, the beginning of one, or 'last'), or painter:NAME for all sessions of a painter (its
    name, or the beginning of its fingerprint). Prompts are the same whatever their case, spaces and punctuation.
    Differences are A minus B: below zero, A is more biased.
    """
    directory = store_directory(store)
    with open_reader(directory) as reader:
        sides = _sides(reader, a, b, directory)
    if remeasure is not None:
        anew = _remeasure(directory, compare(*sides), remeasure)
        with open_reader(directory) as reader:
            sides = _sides(reader, *anew, directory)
    found = compare(*sides, metric or "")
    if metric and metric != found.metric:
        known = ", ".join(found.metrics) or "none"
        raise InputError(f"The score {metric!r} was not computed on both sides: choose of {known}.")
    pairs = arranged(found.pairs, column, descending=descending)
    with open_reader(directory) as reader:
        steered = {side.name: turned(side, reader.events) for side in sides}
    told = paired(found.differences)
    warned, unlike = cautions(found), differences(*sides)
    if as_json:
        console.data_json(
            _json(found, told, warned, unlike, steered) | {"pairs": [_pair(found, p) for p in pairs]}
        )
        return 0
    for letter, side in (("A", sides[0]), ("B", sides[1])):
        console.data(f"{letter}  {_side_line(side)}")
        for line in steered[side.name]:
            console.data(f"   changed: {display_text(line)}")
    if unlike:
        console.data("")
    for one in unlike:
        console.data(f"{fit(one.what, 14)}  A {fit(one.a, _WIDTH)}  B {display_text(one.b)}")
    console.data("")
    console.data(display_text(verdict(found, told)))
    for caution in warned:
        (console.complain if caution.forbids else console.narrate)(caution.sentence)
    if not found.pairs:
        console.narrate(nothing_shared(found))
        return 0
    console.data("")
    console.data("     A       B     A-B     prompt")
    for pair in pairs[:limit]:
        mark = f"{'=' if pair.same else '≈' if pair.reworded else ' '}{CLAIMED if pair.confirmed else ' '}"
        console.data(
            f"{figures.score(pair.score_a)}  {figures.score(pair.score_b)}  {figures.signed(pair.difference)} {mark} "
            f"{display_text(pair.a.prompt)}"
        )
    if len(pairs) > limit:
        console.narrate(f"{limit:,} of {len(pairs):,} shared prompts; --limit shows more")
    console.narrate(f"only in A: {len(found.only_a):,}; only in B: {len(found.only_b):,} (--json lists them)")
    return 0


def _sides(reader: Reader, a: str, b: str, directory: Path) -> tuple[Side, Side]:
    sessions = list(reader.sessions())

    def find(given: str) -> Choice:
        if given.startswith(PAINTER):
            return find_painter(sessions, given.removeprefix(PAINTER))
        return of_session(find_session(sessions, given, directory))

    one, other = find(a), find(b)
    if one.ids == other.ids:
        raise InputError(f"{a!r} and {b!r} are the same: name two that differ.")
    return read_side(reader, one), read_side(reader, other)


def _remeasure(directory: Path, found: Comparison, count: int) -> tuple[str, str]:
    """Measure the most biased prompts of both sides under both; returns the ids of the two new sessions.

    Fresh draws on both sides: neither the search of A nor that of B reports itself.
    """
    prompts: dict[str, None] = {}
    for side in (found.a, found.b):
        ranked = sorted(
            side.measured, key=lambda one: (score_of(one, one.score_name) or 0.0, one.candidate_id)
        )
        fresh = dict.fromkeys(one.prompt for one in ranked)
        prompts |= dict.fromkeys(list(fresh)[:count])
    if not prompts:
        raise InputError("Neither side has a scored prompt yet: mine first.")
    seed = derive_seed(found.a.session.seed, "compare", found.b.session.id, 0)
    ids = []
    for letter, side in (("A", found.a), ("B", found.b)):
        session = side.session
        config = score_config(parse_config(session.config_json, f"session {session.id}"), tuple(prompts))
        named = config.session.model_copy(update={"name": f"{side.name} anew", "seed": seed})
        path = config.store.model_copy(update={"path": directory.absolute()})
        console.narrate(f"measuring {len(prompts):,} prompts as {letter} was")
        ids.append(_run(directory, config.model_copy(update={"session": named, "store": path})))
    return ids[0], ids[1]


def _run(directory: Path, config: MiningConfig) -> str:
    outcome = asyncio.run(run_engine(directory, plain_sink, console.narrate, config=config))
    if outcome.exit_code != 0:
        raise MachineError(
            f"Session {outcome.view.session_id} did not come to its end ({outcome.sentence or 'it was stopped'}): "
            f"go on with 'minegap resume {outcome.view.session_id}', then compare."
        )
    return outcome.view.session_id


def _side_line(side: Side) -> str:
    session = side.session
    many = f"{len(side.sessions)} sessions" if len(side.sessions) > 1 else session.id
    return f"{display_text(side.name)}  ({many}, {len(side.measured):,} scored)"


def _json(
    found: Comparison,
    told: Paired | None,
    warned: list[Caution],
    unlike: list[Difference],
    steered: dict[str, list[str]],
) -> dict[str, Any]:
    return {
        "a": _side_json(found.a, steered[found.a.name]),
        "b": _side_json(found.b, steered[found.b.name]),
        "score_name": found.metric,
        "shared": len(found.pairs),
        "same_measurement": found.same,
        "confirmed": found.confirmed,
        "reworded": found.reworded,
        "verdict": verdict(found, told),
        "summary": None if told is None else _summary(told),
        "warnings": [{"sentence": one.sentence, "forbids": one.forbids} for one in warned],
        "differs": [{"what": one.what, "a": one.a, "b": one.b} for one in unlike],
        "only_a": [_measured(one, found.metric) for one in found.only_a],
        "only_b": [_measured(one, found.metric) for one in found.only_b],
    }


def _summary(told: Paired) -> dict[str, Any]:
    def estimate(one: Estimate) -> dict[str, float | None]:
        return {"value": one.value, "low": one.low, "high": one.high}

    return {
        "n": told.n,
        "mean": estimate(told.mean),
        "median": estimate(told.median),
        "wilcoxon_p": told.p,
        "lower_in_a": told.lower,
        "equal": told.equal,
    }


def _side_json(side: Side, steered: list[str]) -> dict[str, Any]:
    return {
        "name": side.name,
        "sessions": [session.id for session in side.sessions],
        "scored": len(side.measured),
        "models": json.loads(side.session.models_json or "{}"),
        "changed": steered,
    }


def _pair(found: Comparison, pair: Any) -> dict[str, Any]:
    return {
        "prompt": pair.a.prompt,
        "prompt_b": pair.b.prompt,
        "difference": pair.difference,
        "same_measurement": pair.same,
        "confirmed": pair.confirmed,
        "score_a": pair.score_a,
        "score_b": pair.score_b,
        "a": _measured(pair.a, found.metric),
        "b": _measured(pair.b, found.metric),
    }


def _measured(one: Measured, metric: str) -> dict[str, Any]:
    return {
        "candidate_id": one.candidate_id,
        "session_id": one.session_id,
        "prompt": one.prompt,
        "generation": one.generation,
        "origin": one.origin,
        "score": score_of(one, metric),
        "images": one.images,
        "variations": one.variations,
    }
