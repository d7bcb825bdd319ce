"""Draws a fully specified meaning as a 64 x 64 picture: scenery, weather, one outlined figure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from engine.microworld.pen import Pen, Rgb
from engine.microworld.people import draw_person
from engine.microworld.things import draw_thing
from engine.microworld.world import GROUP_OF, Meaning

SIZE: Final = 64
_SCALE: Final = 2  # drawn larger and averaged down: smooth edges are what a small VAE can keep
_CANVAS: Final = SIZE * _SCALE
_HORIZON: Final = 78

COLOURS: Final[Mapping[str, Rgb]] = MappingProxyType(
    {
        "red": (226, 36, 40),
        "yellow": (250, 220, 30),
        "green": (30, 160, 60),
        "blue": (40, 90, 235),
        "purple": (150, 50, 190),
        "white": (252, 252, 252),
    }
)
_SKY: Final[Mapping[str, Rgb]] = MappingProxyType(
    {"day": (140, 208, 250), "sunset": (255, 146, 96), "night": (22, 24, 70)}
)
_GROUND: Final[Mapping[str, Rgb]] = MappingProxyType(
    {
        "beach": (240, 220, 160),
        "forest": (60, 96, 48),
        "city": (128, 128, 136),
        "desert": (222, 160, 84),
        "mountains": (120, 108, 100),
        "meadow": (130, 206, 84),
    }
)
_LIGHT: Final[Mapping[str, Rgb]] = MappingProxyType(
    {"day": (255, 255, 255), "sunset": (255, 205, 180), "night": (124, 128, 176)}
)
_HEIGHT: Final[Mapping[str, float]] = MappingProxyType({"small": 70, "large": 89, "huge": 112})


def _lit(colour: Rgb, time: str) -> Rgb:
    r, g, b = (c * light // 255 for c, light in zip(colour, _LIGHT[time], strict=True))
    return r, g, b


def _scenery(draw: ImageDraw.ImageDraw, place: str, time: str) -> None:
    """The ground and what stands on the horizon; kept to the sides so that the figure does not hide it."""
    h, w = _HORIZON, _CANVAS

    def lit(*rgb: int) -> Rgb:
        return _lit((rgb[0], rgb[1], rgb[2]), time)

    if place == "mountains":
        for x, peak in ((12, 26), (64, 14), (116, 26)):
            draw.polygon(((x - 40, h), (x, peak), (x + 40, h)), fill=lit(126, 118, 130))
            draw.polygon(((x - 13, peak + 18), (x, peak), (x + 13, peak + 18)), fill=lit(250, 250, 255))
    if place == "city":
        for x, top, width in ((2, 26, 20), (26, 44, 16), (86, 40, 16), (106, 22, 20)):
            draw.rectangle((x, top, x + width, h), fill=lit(96, 92, 112))
            for wx in range(x + 4, x + width - 3, 7):
                for wy in range(top + 5, h - 4, 10):
                    draw.rectangle((wx, wy, wx + 3, wy + 4), fill=(255, 232, 130))
    if place == "forest":
        for x in (6, 28, 100, 122):
            for y in (24, 42):
                draw.polygon(((x - 17, y + 32), (x, y), (x + 17, y + 32)), fill=lit(24, 92, 44))
    draw.rectangle((0, h, w, w), fill=_lit(_GROUND[place], time))
    if place == "beach":
        draw.rectangle((0, h - 12, w, h + 7), fill=lit(40, 130, 210))
        draw.rectangle((0, h + 7, w, h + 10), fill=lit(250, 250, 250))
    if place == "desert":
        draw.ellipse((-30, h - 14, 60, h + 40), fill=_lit((236, 178, 100), time))
        draw.ellipse((70, h - 10, 170, h + 40), fill=_lit((236, 178, 100), time))
        for x in (12, 114):
            draw.rounded_rectangle((x - 4, 42, x + 4, h + 12), 4, fill=lit(40, 130, 60))
            draw.line(((x - 12, 52), (x - 12, 62), (x, 62)), fill=lit(40, 130, 60), width=5, joint="curve")
            draw.line(((x + 12, 48), (x + 12, 58), (x, 58)), fill=lit(40, 130, 60), width=5, joint="curve")
    if place == "meadow":
        flowers = ((8, 88), (24, 98), (10, 112), (30, 118), (118, 88), (102, 96), (120, 110), (98, 118))
        for i, (x, y) in enumerate(flowers):
            petal = lit(255, 130, 190) if i % 2 else lit(255, 250, 250)
            draw.ellipse((x - 5, y - 5, x + 5, y + 5), fill=petal)
            draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=lit(255, 210, 40))


def _sky(draw: ImageDraw.ImageDraw, time: str, weather: str) -> None:
    draw.rectangle((0, 0, _CANVAS, _HORIZON), fill=_SKY[time])
    if weather == "clear":
        if time == "night":
            draw.ellipse((6, 4, 28, 26), fill=(250, 248, 220))
            draw.ellipse((14, 2, 34, 22), fill=_SKY[time])
            for x, y in ((48, 8), (76, 14), (96, 6), (112, 20), (40, 26)):
                draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=(255, 255, 255))
        else:
            draw.ellipse((4, 3, 28, 27), fill=(255, 232, 60) if time == "day" else (255, 240, 170))


def _rain_or_snow(draw: ImageDraw.ImageDraw, time: str, weather: str) -> None:
    if weather == "rain":
        for x in (8, 30, 52, 74, 96, 118):
            draw.ellipse((x - 16, -12, x + 16, 16), fill=_lit((92, 96, 112), time))
        for i, x in enumerate(range(4, 130, 14)):
            for y in range(24 + (i % 2) * 14, 120, 30):
                draw.line(((x + 4, y), (x - 3, y + 14)), fill=(70, 120, 235), width=4)
    elif weather == "snow":
        draw.rectangle((0, 106, _CANVAS, _CANVAS), fill=_lit((248, 250, 255), time))
        for i, x in enumerate(range(6, 128, 16)):
            for y in range(6 + (i % 2) * 11, 106, 22):
                draw.ellipse((x - 4, y - 4, x + 4, y + 4), fill=(255, 255, 255))


def draw_meaning(meaning: Meaning, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a meaning that leaves nothing open.

    Args:
        meaning: subject and a value for every attribute it has.
        rng: jitters position and tint by a few per cent; nothing else is left to chance.

    Returns:
        RGB picture, uint8, shape (64, 64, 3).

    Raises:
        KeyError: an attribute is open.
    """
    values = meaning.values
    time, weather = values["time"], values["weather"]
    canvas = Image.new("RGB", (_CANVAS, _CANVAS))
    draw = ImageDraw.Draw(canvas)
    _sky(draw, time, weather)
    _scenery(draw, values["place"], time)
    if weather == "fog":
        grey = _lit((214, 216, 222), time)
        canvas = Image.blend(canvas, Image.new("RGB", canvas.size, grey), 0.42)
        draw = ImageDraw.Draw(canvas)
        for y in (18, 46, 74):
            draw.rounded_rectangle((-8, y, _CANVAS + 8, y + 11), 5, fill=grey)
    _rain_or_snow(draw, time, weather)

    figure = Image.new("RGBA", canvas.size)
    jitter_x, jitter_y = rng.uniform(-3, 3), rng.uniform(-2, 2)
    height = _HEIGHT[values["size"]] * rng.uniform(0.975, 1.025)
    pen = Pen(ImageDraw.Draw(figure), (_CANVAS / 2 + jitter_x, 120 + jitter_y), height)
    if GROUP_OF[meaning.subject] == "person":
        draw_person(pen, meaning.subject, COLOURS[values["colour"]], values["skin"], values["gender"])
    else:
        draw_thing(pen, meaning.subject, COLOURS[values["colour"]])
    # A pale halo around the dark outline keeps every figure readable on every ground, night included.
    halo = figure.getchannel("A").filter(ImageFilter.MaxFilter(5))
    canvas.paste((255, 255, 250), mask=halo)
    canvas.paste(figure, mask=figure)
    small = np.asarray(canvas.reduce(_SCALE), dtype=np.float32)
    tint = rng.uniform(0.97, 1.0, size=3)
    return np.asarray(np.clip(small * tint, 0, 255).round(), dtype=np.uint8)
