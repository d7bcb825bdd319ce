"""Pictures of the real screens, without a terminal: ``python -m minegap_tui.screenshots OUT --store DIR``.

Renders a stored session at the sizes people have. Needs the font DejaVu Sans Mono.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from minegap_tui.commands.options import find_session, store_directory, store_option
from minegap_tui.raster import rasterise
from minegap_tui.theme import THEME
from store import open_reader

SIZES = ((80, 24), (120, 40), (200, 50))


async def photograph(store: Path, session_id: str, size: tuple[int, int], keys: tuple[str, ...] = ()) -> str:
    """Return the screen as SVG once its images are drawn.

    Args:
        size: columns and lines.
        keys: pressed before the picture is taken.
    """
    from minegap_tui.app import MineApp

    app = MineApp(store, session_id=session_id)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot)
        for key in keys:
            await pilot.press(key)
            await settle(app, pilot)
        return app.export_screenshot(title="MineGap")


async def settle(app: object, pilot: object) -> None:
    """Wait until the app has nothing more to do: two redraws and all workers."""
    from textual.pilot import Pilot

    from minegap_tui.app import REDRAW_SECONDS, MineApp

    assert isinstance(app, MineApp)
    assert isinstance(pilot, Pilot)
    for _ in range(2):
        await pilot.pause(REDRAW_SECONDS)
        await app.workers.wait_for_complete()
    await pilot.pause()


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--session", default="last", help="Session to show.")
@store_option
def main(out: Path, session: str, store: Path | None) -> None:
    """Write PNG pictures of the live and the evidence screen to OUT."""
    directory = store_directory(store)
    with open_reader(directory) as reader:
        found = find_session(list(reader.sessions()), session, directory)
    out.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        for name, keys in (("live", ()), ("inspect", ("enter",)), ("help", ("question_mark",))):
            svg = asyncio.run(photograph(directory, found.id, size, keys))
            path = out / f"{name}-{size[0]}x{size[1]}.png"
            rasterise(svg, size, THEME.background or "#000000").save(path)
            click.echo(path)


if __name__ == "__main__":
    sys.exit(main())
