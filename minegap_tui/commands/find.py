"""``minegap find``: candidates of all sessions by a filter; the headless twin of the history screen."""

from __future__ import annotations

from pathlib import Path

import click

from minegap_tui import console
from minegap_tui.commands.browse import candidate_json
from minegap_tui.commands.options import json_option, store_directory, store_option
from minegap_tui.sanitise import display_text
from minegap_tui.view import figures, findings
from minegap_tui.view.filters import SUMMARY, parse
from minegap_tui.view.history import ORDERS
from minegap_tui.views_file import SavedView, ViewsFile
from store import open_reader
from store.search import Order

_DEFAULT: Order = "biased"


@click.command(epilog=SUMMARY)
@click.argument("words", metavar="[FILTER]...", nargs=-1)
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=20, show_default=True, help="Most lines.")
@click.option(
    "--order",
    type=click.Choice(list(ORDERS)),
    help="Lowest score first, confirmed scores before others, or the latest made first  [default: biased].",
)
@click.option("--view", "name", metavar="NAME", help="Begin with a saved view; FILTER narrows it.")
@click.option("--save", metavar="NAME", help="Save what is asked for as a view.")
@click.option("--views", "list_views", is_flag=True, help="List the saved views.")
@json_option
@store_option
def find(
    words: tuple[str, ...],
    limit: int,
    order: Order | None,
    name: str | None,
    save: str | None,
    list_views: bool,
    as_json: bool,
    store: Path | None,
) -> None:
    """Find candidates of all sessions, most biased first; without FILTER, all of them.

    In a shell, put the filter into single quotes: minegap find 'score<.2 "in a garden"'. One that begins with a
    minus goes after --.
    """
    file = ViewsFile()
    if list_views:
        _list(file, as_json)
        return
    view = file.find(name) if name is not None else SavedView("", "")
    text = " ".join([view.filter, *words]).strip()
    wanted, chosen = parse(text), order or (view.order if name is not None else _DEFAULT)
    if save is not None:
        file.save(SavedView(save, text, chosen))
        console.narrate(f"saved as {save!r}")
    with open_reader(store_directory(store)) as reader:
        places = reader.find(wanted.conditions, chosen, limit=limit)
        found = reader.found([place.id for place in places])
        confirmed = reader.confirmed(one.session_id for one in found)
        more = reader.count(wanted.conditions) if len(places) == limit else len(places)
    if as_json:
        console.data_json([candidate_json(one, confirmed.get(one.id)) for one in found])
    elif found:
        beside = findings.head(roomy=True) if confirmed else ""
        console.data(f"{'candidate':>9}   score{beside}  gen  origin    {'session':<26}  prompt")
        for one in found:
            if confirmed:
                beside = findings.column(confirmed.get(one.id), roomy=True)[0]
            console.data(
                f"{one.id:>9}  {figures.score(one.score)}{beside}  {one.generation:>3}  {one.origin:<8}  "
                f"{one.session_id:<26}  {display_text(one.prompt)}"
            )
    if not found:
        console.narrate(f"no candidate is like this: {text}" if text else "the store has no candidates yet")
    elif more > len(found):
        console.narrate(f"{len(found):,} of {more:,}, {ORDERS[chosen]}; --limit shows more")


def _list(file: ViewsFile, as_json: bool) -> None:
    views = file.all()
    if as_json:
        console.data_json([{"name": view.name, "filter": view.filter, "order": view.order} for view in views])
        return
    for view in views:
        console.data(f"{view.name}  {view.filter}  ({ORDERS[view.order]})")
    if not views:
        console.narrate("no view is saved: 'minegap find FILTER --save NAME' saves one")
