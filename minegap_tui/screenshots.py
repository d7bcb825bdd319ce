"""Pictures of the real screens, without a terminal: ``python -m minegap_tui.screenshots OUT --store DIR``.

Shows a stored session, or with ``--mine GENERATION`` a new one while it mines that generation, with all its
dialogs, at the sizes people have; and a few scenes in the other looks. Needs the font DejaVu Sans Mono.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from engine.client import command_id
from engine.commands import Open, Stop
from minegap_tui.app import REDRAW_SECONDS, MineApp
from minegap_tui.camera import Scene, complete, enter, leave, take
from minegap_tui.camera import settle as settle
from minegap_tui.commands.options import config_options, configured, find_session, store_option
from minegap_tui.following import StoreDoor
from minegap_tui.settings import LookSection, UiSettings
from minegap_tui.terminal import Prepared
from store import open_reader

SMALLEST = (40, 12)
SIZES = ((80, 24), (120, 40), (200, 50))
LOOKS: dict[str, LookSection] = {
    "light": LookSection("light", False),
    "ansi": LookSection("ansi", False),
    "ascii": LookSection("minegap", True),
}
"""Other looks, for a few scenes at the middle size."""
IN_ALL_LOOKS = frozenset({"live", "inspect", "compare"})

SCENES: tuple[Scene, ...] = (
    Scene("live", "live", small=True),
    Scene("inspect", "inspect", (("enter", "2 images"),)),
    Scene("lineage", "lineage", (("t", "Families"),), small=True),
    Scene("exchanges", "exchanges", (("enter", "2 images"), ("x", "✗ set aside"))),
    Scene("record", "record", (("L", "entries"),)),
    Scene("sessions", "sessions", (("S", "Newest first"),)),
    Scene("new", "new", (("S", "Newest first"), ("n", "What it takes")), small=True),
    Scene("doctor", "doctor", (("S", "Newest first"), ("exclamation_mark", "Doctor")), busy=" checked …"),
    Scene("welcome", "welcome", (("S", "Newest first"), ("w", "begins to mine"))),
    Scene("delete", None, (("S", "Newest first"), ("d", "for good"))),
    Scene("fork", None, (("S", "Newest first"), ("f", "Fork a session"))),
    Scene("confirm", None, (("F", "Confirm “"),)),
    Scene("history", "history", (("slash", "found"),)),
    Scene("views", None, (("slash", "found"), ("v", "Saved views"))),
    Scene("save-view", None, (("slash", "found"), ("w", "Save this view"))),
    Scene("versus", None, (("C", "Compare “"),)),
    Scene("compare", "compare", (("C", "Compare “"), ("enter", "shared prompt"))),
    Scene("gallery", "gallery", (("V", "Best image"),), small=True),
    Scene("images", "gallery", (("V", "Best image"), ("a", "All images"))),
    Scene(
        "side-by-side",
        "gallery",
        (("V", "Best image"), ("space", "Marked"), ("l", "Best image"), ("s", "Side by side")),
    ),
    Scene("viewer", "viewer", (("V", "Best image"), ("enter", "1 of"))),
    Scene("replay", "replay", (("less_than_sign", "replay: generation 1"),)),
    Scene("help", None, (("question_mark", "Move a page"),)),
    Scene("edit", None, (("e", "Edit candidate"),), engine=True),
    Scene("inject", None, (("i", "Inject prompts"),), engine=True),
    Scene("ban", None, (("b", "keep out"),), engine=True),
    Scene("rescore", None, (("r", "Measure candidate"),), engine=True),
    Scene("knobs", None, (("K", "Knobs, from"),), engine=True),
    Scene("pause", None, (("P", "after this generation"),), engine=True),
    Scene("stop", None, (("Q", "Stop mining?"),), engine=True),
)
"""Every screen and every dialog; the tests of hostile text and of odd terminals go through all of them too."""


async def photograph(
    app: MineApp, out: Path, generation: int | None = None, scenes: Sequence[Scene] = SCENES
) -> None:
    """Run an app and write its screens as PNG files to ``out``.

    Args:
        generation: wait until a third of this generation is painted; None takes the pictures at once.
    """
    async with app.run_test(size=SIZES[0]) as pilot:
        while generation is not None and app.view.running and not _reached(app, generation):
            await pilot.pause(REDRAW_SECONDS)
        for size in (*SIZES, SMALLEST):
            await pilot.resize_terminal(*size)
            for scene in scenes:
                if size == SMALLEST and not scene.small:
                    continue
                await enter(app, pilot, scene)
                await complete(app, pilot, scene)
                path = out / f"{scene.name}-{size[0]}x{size[1]}.png"
                take(app, path)
                click.echo(path)
                await leave(app, pilot)
        await _end(app)


async def photograph_look(app: MineApp, out: Path, name: str, scenes: Sequence[Scene]) -> None:
    """Write those scenes that are shown in every look, as the app is dressed."""
    async with app.run_test(size=SIZES[1]) as pilot:
        for scene in scenes:
            if scene.name in IN_ALL_LOOKS:
                await enter(app, pilot, scene)
                path = out / f"{scene.name}-{name}.png"
                take(app, path)
                click.echo(path)
                await leave(app, pilot)


async def _end(app: MineApp) -> None:
    if app.following.attached:
        await app.following.ask(Stop(id=command_id(), session_id=app.view.session_id))
        await app.workers.wait_for_complete()


def _reached(app: MineApp, generation: int) -> bool:
    painting = app.view.stages.get("painting")
    begun = painting is not None and painting.generation == generation and painting.done * 3 >= painting.total
    return begun or app.view.generation > generation


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--session", default="last", show_default=True, help="Stored session to show.")
@click.option("--mine", "generation", type=int, help="Mine, and take the pictures in this generation.")
@click.option(
    "--scene",
    "names",
    multiple=True,
    type=click.Choice([scene.name for scene in SCENES]),
    help="Only this scene; may be given several times.",
)
@config_options
@store_option
def main(
    out: Path,
    session: str,
    generation: int | None,
    names: tuple[str, ...],
    settings: tuple[str, ...],
    seed: int | None,
    store: Path | None,
) -> None:
    """Write PNG pictures of the screens to OUT; of the dialogs too while it mines."""
    config = configured(None, settings, seed=seed, store=store)
    directory = config.store.path
    out.mkdir(parents=True, exist_ok=True)
    scenes = [scene for scene in SCENES if not names or scene.name in names]
    if generation is not None:
        opening = Open(id=command_id(), config=config.model_dump_json())
        app = MineApp(directory, door=StoreDoor(directory), begin=opening)
    else:
        scenes = [scene for scene in scenes if not scene.engine]
        with open_reader(directory) as reader:
            app = MineApp(directory, session_id=find_session(list(reader.sessions()), session, directory).id)
    asyncio.run(photograph(app, out, generation, scenes))
    for name, look in LOOKS.items():
        dressed = Prepared(UiSettings(look=look))
        stored = MineApp(directory, session_id=app.view.session_id, prepared=dressed)
        asyncio.run(photograph_look(stored, out, name, scenes))


if __name__ == "__main__":
    sys.exit(main())
