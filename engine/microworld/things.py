"""The animals and objects: twenty silhouettes in one colour each."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from engine.microworld.pen import Pen, Rgb

PALE: Final[Rgb] = (245, 240, 232)
DARK: Final[Rgb] = (50, 46, 58)
GLASS: Final[Rgb] = (170, 220, 245)
BEAK: Final[Rgb] = (255, 140, 0)


def _eye(pen: Pen, x: float, y: float) -> None:
    pen.dot(x, y, 5, PALE)
    pen.dot(x, y, 3)


def _cat(pen: Pen, c: Rgb) -> None:
    pen.bar(((24, 8), (40, 18), (38, 42)), 7, c)
    pen.ellipse(0, 22, 26, 22, c)
    pen.polygon(((-26, 60), (-28, 96), (-8, 78)), c)
    pen.polygon(((26, 60), (28, 96), (8, 78)), c)
    pen.ellipse(0, 60, 27, 23, c)
    _eye(pen, -10, 64)
    _eye(pen, 10, 64)
    pen.polygon(((-4, 55), (4, 55), (0, 50)), (255, 130, 150))
    for side in (-1, 1):
        pen.stroke(((side * 10, 52), (side * 34, 56)), 2)
        pen.stroke(((side * 10, 49), (side * 34, 46)), 2)


def _rabbit(pen: Pen, c: Rgb) -> None:
    pen.ellipse(-11, 82, 7, 22, c)
    pen.ellipse(11, 82, 7, 22, c)
    pen.ellipse(-11, 82, 2.5, 14, (255, 150, 170))
    pen.ellipse(11, 82, 2.5, 14, (255, 150, 170))
    pen.ellipse(22, 12, 9, 9, PALE)
    pen.ellipse(0, 19, 22, 19, c)
    pen.ellipse(0, 48, 19, 17, c)
    _eye(pen, -8, 51)
    _eye(pen, 8, 51)
    pen.rectangle(-4, 33, 4, 42, PALE)


def _elephant(pen: Pen, c: Rgb) -> None:
    for x in (-30, -12, 8, 24):
        pen.rectangle(x - 6, 2, x + 6, 30, c)
    pen.ellipse(-4, 46, 36, 27, c)
    pen.bar(((34, 56), (44, 40), (44, 12)), 9, c)
    pen.ellipse(28, 62, 18, 18, c)
    pen.ellipse(14, 62, 13, 19, c)
    _eye(pen, 33, 66)
    pen.bar(((34, 46), (48, 50)), 3, PALE)


def _giraffe(pen: Pen, c: Rgb) -> None:
    for x in (-24, -12, 6, 16):
        pen.rectangle(x - 3.5, 2, x + 3.5, 32, c)
    pen.ellipse(-4, 38, 26, 14, c)
    pen.polygon(((6, 40), (18, 92), (30, 92), (22, 36)), c)
    pen.ellipse(32, 92, 14, 8, c)
    pen.bar(((22, 98), (20, 108)), 2.5, DARK)
    for x, y in ((-16, 40), (-4, 34), (4, 44), (16, 58), (20, 72)):
        pen.dot(x, y, 4.5, (120, 70, 30))
    pen.dot(32, 94, 2.8)


def _snake(pen: Pen, c: Rgb) -> None:
    pen.bar(((-44, 8), (-30, 18), (-14, 8), (4, 8), (18, 20), (10, 36), (-8, 42), (-12, 58), (4, 68), (18, 66)),
            13, c)  # fmt: skip
    pen.ellipse(24, 67, 15, 11, c)
    pen.stroke(((38, 66), (50, 70)), 2.5, (230, 30, 60))
    pen.stroke(((44, 67), (50, 62)), 2.5, (230, 30, 60))
    _eye(pen, 26, 71)


def _turtle(pen: Pen, c: Rgb) -> None:
    pen.ellipse(-26, 10, 9, 9, c)
    pen.ellipse(16, 10, 9, 9, c)
    pen.ellipse(38, 30, 13, 11, c)
    pen.polygon(((-36, 16), (-50, 12), (-34, 24)), c)
    pen.half_disc(-4, 16, 36, 40, c)
    for x, y in ((-18, 28), (-4, 40), (10, 28), (-4, 24)):
        pen.polygon([(x + 7 * math.cos(a * math.pi / 3), y + 6 * math.sin(a * math.pi / 3)) for a in range(6)],
                    (112, 84, 44))  # fmt: skip
    _eye(pen, 42, 33)


def _butterfly(pen: Pen, c: Rgb) -> None:
    for side in (-1, 1):
        pen.ellipse(side * 24, 66, 22, 24, c)
        pen.ellipse(side * 19, 28, 17, 18, c)
        pen.dot(side * 26, 68, 8, PALE)
        pen.dot(side * 20, 28, 6, PALE)
        pen.stroke(((0, 76), (side * 12, 98)), 2.4)
    pen.ellipse(0, 48, 5, 34, DARK)


def _fish(pen: Pen, c: Rgb) -> None:
    pen.polygon(((-22, 44), (-48, 68), (-48, 20)), c)
    pen.polygon(((-6, 62), (10, 82), (18, 62)), c)
    pen.ellipse(8, 44, 36, 25, c)
    _eye(pen, 28, 50)
    for x in (-6, 6):
        pen.stroke(((x, 56), (x + 5, 44), (x, 32)), 2.6)
    pen.stroke(((36, 34), (43, 38)), 2.6)


def _duck(pen: Pen, c: Rgb) -> None:
    pen.polygon(((26, 60), (48, 56), (26, 50)), BEAK)
    pen.stroke(((-6, 14), (-6, 2), (2, 2)), 4, BEAK)
    pen.stroke(((8, 14), (8, 2), (16, 2)), 4, BEAK)
    pen.polygon(((-30, 30), (-48, 48), (-24, 42)), c)
    pen.ellipse(-2, 27, 32, 17, c)
    pen.ellipse(16, 56, 17, 17, c)
    pen.ellipse(-8, 28, 16, 8, c)
    _eye(pen, 20, 60)


def _octopus(pen: Pen, c: Rgb) -> None:
    for x in (-36, -21, -7, 7, 21, 36):
        pen.bar(((x * 0.6, 40), (x, 22), (x * 1.15, 4)), 7, c)
    pen.ellipse(0, 62, 30, 32, c)
    _eye(pen, -10, 58)
    _eye(pen, 10, 58)
    pen.ellipse(0, 44, 5, 4, DARK)


def _car(pen: Pen, c: Rgb) -> None:
    pen.polygon(((-26, 34), (-16, 58), (16, 58), (28, 34)), c)
    pen.polygon(((-18, 36), (-12, 52), (-2, 52), (-2, 36)), GLASS)
    pen.polygon(((3, 36), (3, 52), (13, 52), (20, 36)), GLASS)
    pen.polygon(((-48, 12), (-48, 32), (-40, 37), (40, 37), (48, 28), (48, 12)), c)
    for x in (-27, 27):
        pen.ellipse(x, 12, 11, 11, DARK)
        pen.dot(x, 12, 5, PALE)
    pen.dot(44, 26, 4, (255, 240, 120))


def _house(pen: Pen, c: Rgb) -> None:
    pen.rectangle(16, 66, 27, 92, (150, 80, 60))
    pen.rectangle(-34, 2, 34, 54, c)
    pen.polygon(((-44, 52), (0, 90), (44, 52)), (130, 66, 52))
    pen.rectangle(-8, 2, 8, 30, (100, 62, 34))
    pen.rectangle(-27, 30, -14, 44, GLASS)
    pen.rectangle(14, 30, 27, 44, GLASS)


def _boat(pen: Pen, c: Rgb) -> None:
    pen.bar(((-2, 20), (-2, 98)), 3, (120, 76, 40))
    pen.polygon(((2, 96), (2, 30), (40, 30)), PALE)
    pen.polygon(((-6, 88), (-6, 30), (-32, 30)), PALE)
    pen.polygon(((-46, 26), (46, 26), (32, 2), (-32, 2)), c)


def _umbrella(pen: Pen, c: Rgb) -> None:
    pen.bar(((0, 50), (0, 10), (8, 4), (15, 12)), 4, (120, 76, 40))
    pen.half_disc(0, 50, 46, 44, c)
    pen.stroke(((0, 50), (-17, 90)), 2.4)
    pen.stroke(((0, 50), (17, 90)), 2.4)
    pen.bar(((0, 94), (0, 102)), 3, DARK)


def _chair(pen: Pen, c: Rgb) -> None:
    pen.rectangle(-28, 2, -19, 40, c)
    pen.rectangle(19, 2, 28, 40, c)
    pen.rectangle(-28, 36, 30, 48, c)
    pen.rectangle(-30, 48, -20, 98, c)
    pen.rectangle(-20, 84, 4, 94, c)
    pen.rectangle(-20, 64, 4, 74, c)


def _mug(pen: Pen, c: Rgb) -> None:
    pen.bar(((20, 54), (42, 52), (42, 24), (20, 20)), 7, c)
    pen.rectangle(-32, 4, 22, 68, c)
    pen.ellipse(-5, 68, 27, 8, (96, 56, 30))
    for x in (-16, -4, 8):
        pen.stroke(((x, 80), (x + 4, 86), (x, 92), (x + 4, 98)), 2.6, PALE)


def _balloon(pen: Pen, c: Rgb) -> None:
    pen.stroke(((0, 34), (6, 22), (-6, 12), (0, 2)), 2.6)
    pen.polygon(((-6, 32), (6, 32), (0, 40)), c)
    pen.ellipse(0, 68, 27, 31, c)
    pen.dot(-10, 78, 6, PALE)


def _clock(pen: Pen, c: Rgb) -> None:
    pen.bar(((-20, 12), (-28, 2)), 5, DARK)
    pen.bar(((20, 12), (28, 2)), 5, DARK)
    pen.ellipse(-24, 84, 12, 10, c)
    pen.ellipse(24, 84, 12, 10, c)
    pen.ellipse(0, 46, 40, 40, c)
    pen.ellipse(0, 46, 29, 29, PALE)
    pen.stroke(((0, 46), (0, 68)), 4)
    pen.stroke(((0, 46), (15, 40)), 4)


def _rocket(pen: Pen, c: Rgb) -> None:
    pen.polygon(((-9, 18), (0, -2), (9, 18)), (255, 150, 20))
    pen.polygon(((-14, 46), (-34, 12), (-12, 18)), DARK)
    pen.polygon(((14, 46), (34, 12), (12, 18)), DARK)
    pen.polygon(((-15, 18), (-17, 60), (-10, 84), (0, 102), (10, 84), (17, 60), (15, 18)), c)
    pen.ellipse(0, 62, 8, 8, GLASS)


def _key(pen: Pen, c: Rgb) -> None:
    pen.bar(((-10, 44), (44, 44)), 9, c)
    pen.bar(((30, 40), (30, 24)), 7, c)
    pen.bar(((44, 40), (44, 20)), 7, c)
    pen.ellipse(-24, 44, 24, 24, c)
    pen.ellipse(-26, 44, 10, 10, PALE)


_FIGURES: Final[Mapping[str, Callable[[Pen, Rgb], None]]] = MappingProxyType(
    {
        "cat": _cat,
        "rabbit": _rabbit,
        "elephant": _elephant,
        "giraffe": _giraffe,
        "snake": _snake,
        "turtle": _turtle,
        "butterfly": _butterfly,
        "fish": _fish,
        "duck": _duck,
        "octopus": _octopus,
        "car": _car,
        "house": _house,
        "boat": _boat,
        "umbrella": _umbrella,
        "chair": _chair,
        "mug": _mug,
        "balloon": _balloon,
        "clock": _clock,
        "rocket": _rocket,
        "key": _key,
    }
)


def draw_thing(pen: Pen, subject: str, colour: Rgb) -> None:
    """Draw one animal or object of ``world.GROUPS`` in the pen's box, in one colour."""
    _FIGURES[subject](pen, colour)
