"""``minegap score``: all evidence about one prompt, or the scores of a similarity matrix made elsewhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from engine.config import score_config
from minegap_tui import console
from minegap_tui.commands.browse import show_candidate
from minegap_tui.commands.follow import finish, plain_sink
from minegap_tui.commands.options import config_options, configured, json_option, store_option
from minegap_tui.headless import run_engine
from minegap_tui.view import figures
from store import open_reader


@click.command()
@click.argument("prompt", required=False)
@click.option("--matrix", type=click.Path(path_type=Path), help="A .npy file of cosine similarities (T, N).")
@click.option(
    "--logit-scale",
    type=click.FloatRange(min=0, min_open=True),
    help="The scorer's logit scale, for --matrix  [default: 100, as CLIP was trained].",
)
@click.option("--config", type=click.Path(path_type=Path), help="A TOML configuration.")
@config_options
@json_option
@store_option
def score(
    prompt: str | None,
    matrix: Path | None,
    logit_scale: float | None,
    config: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    as_json: bool,
    store: Path | None,
) -> int:
    """Score PROMPT with all its evidence, or the matrix of --matrix; lower = more biased."""
    if (prompt is None) == (matrix is None):
        raise click.UsageError("Give either a prompt or --matrix")
    if matrix is not None:
        wanted = configured(config, settings)
        _score_matrix(matrix, logit_scale, wanted.search.alpha, as_json)
        return 0
    if logit_scale is not None:
        raise click.UsageError("--logit-scale belongs to --matrix: a prompt is scored with the scorer's own")
    assert prompt is not None
    wanted = score_config(configured(config, settings, seed=seed, store=store), (prompt,))
    outcome = asyncio.run(run_engine(wanted.store.path, plain_sink, console.narrate, config=wanted))
    ranked = outcome.view.leaderboard(1)
    if outcome.exit_code == 0 and ranked:
        with open_reader(wanted.store.path) as reader:
            show_candidate(reader, ranked[0].candidate_id, as_json)
        return 0
    if outcome.exit_code == 0:
        console.complain("The prompt could not be scored: the lines above say why.")
        return 3
    return finish(outcome, wanted.store.path, as_json=True)


def _score_matrix(path: Path, logit_scale: float | None, alpha: float, as_json: bool) -> None:
    from engine.score import CLIP_LOGIT_SCALE, SCORES, score_matrix_file

    found = score_matrix_file(path, alpha, CLIP_LOGIT_SCALE if logit_scale is None else logit_scale)
    if as_json:
        console.data_json(found)
        return
    for name, about in SCORES.items():
        console.data(f"{figures.score(found[name])}  {name:<11}  {about.summary}")
