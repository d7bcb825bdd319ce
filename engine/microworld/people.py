"""The twelve occupations: one body, told apart by what is worn on the head and what is held."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from engine.microworld.pen import Pen, Rgb

SKIN: Final[Mapping[str, Rgb]] = MappingProxyType(
    {"light": (255, 222, 196), "tan": (214, 150, 92), "dark": (104, 62, 36)}
)
HAIR: Final[Rgb] = (60, 38, 24)
STEEL: Final[Rgb] = (176, 184, 196)
WOOD: Final[Rgb] = (150, 96, 48)
PAPER: Final[Rgb] = (250, 250, 245)
RED: Final[Rgb] = (214, 40, 40)
GOLD: Final[Rgb] = (250, 196, 40)


def _body(pen: Pen, clothes: Rgb, skin: Rgb, female: bool) -> None:
    if female:
        pen.polygon(((-20, 20), (-21, 84), (-14, 92), (14, 92), (21, 84), (20, 20)), HAIR)
        pen.bar(((-6, 3), (-6, 12)), 5, skin)
        pen.bar(((6, 3), (6, 12)), 5, skin)
        pen.polygon(((-8, 54), (8, 54), (26, 9), (-26, 9)), clothes)
    else:
        pen.rectangle(-15, 2, -3, 26, clothes)
        pen.rectangle(3, 2, 15, 26, clothes)
        pen.rectangle(-17, 22, 17, 54, clothes)
    pen.bar(((-13, 48), (-27, 32)), 7, clothes)
    pen.bar(((13, 48), (27, 36)), 7, clothes)
    pen.ellipse(-28, 30, 4.5, 4.5, skin)
    pen.ellipse(28, 34, 4.5, 4.5, skin)
    pen.ellipse(0, 70, 18, 18, skin)
    pen.half_disc(0, 76, 18, 14, HAIR)
    pen.dot(-6, 69, 2.6)
    pen.dot(6, 69, 2.6)
    pen.stroke(((-5, 61), (0, 59), (5, 61)), 2.4)


def _doctor(pen: Pen) -> None:
    pen.rectangle(-14, 78, 14, 92, PAPER)
    pen.rectangle(-2.5, 79, 2.5, 91, RED)
    pen.rectangle(-8, 83, 8, 87, RED)
    pen.rectangle(22, 8, 48, 30, PAPER)
    pen.rectangle(32, 10, 38, 28, RED)
    pen.rectangle(25, 16, 45, 22, RED)


def _chef(pen: Pen) -> None:
    pen.rectangle(-14, 80, 14, 94, PAPER)
    pen.ellipse(-11, 97, 10, 9, PAPER)
    pen.ellipse(11, 97, 10, 9, PAPER)
    pen.ellipse(0, 101, 12, 10, PAPER)
    pen.bar(((28, 34), (38, 48)), 4, (70, 70, 80))
    pen.ellipse(40, 55, 10, 10, (70, 70, 80))


def _firefighter(pen: Pen) -> None:
    pen.half_disc(0, 79, 21, 20, RED)
    pen.rectangle(-26, 76, 26, 81, RED)
    pen.polygon(((-6, 82), (-6, 92), (0, 96), (6, 92), (6, 82)), GOLD)
    pen.bar(((38, 4), (30, 60)), 4, WOOD)
    pen.polygon(((22, 52), (22, 68), (36, 64), (38, 55)), RED)


def _farmer(pen: Pen) -> None:
    pen.ellipse(0, 80, 33, 6, (232, 190, 90))
    pen.half_disc(0, 81, 15, 16, (232, 190, 90))
    pen.bar(((36, 2), (36, 56)), 3, WOOD)
    pen.bar(((27, 78), (27, 60), (45, 60), (45, 78)), 2.5, STEEL)
    pen.bar(((36, 60), (36, 80)), 2.5, STEEL)


def _astronaut(pen: Pen) -> None:
    pen.bar(((-19, 52), (-24, 62), (-25, 72), (-22, 84), (-13, 94), (0, 98), (13, 94), (22, 84), (25, 72),
             (24, 62), (19, 52)), 6, PAPER)  # fmt: skip
    pen.rectangle(-9, 34, 9, 46, STEEL)
    pen.dot(-4, 40, 3, RED)
    pen.dot(4, 40, 3, (40, 160, 70))
    pen.bar(((37, 4), (37, 78)), 2, STEEL)
    pen.polygon(((37, 78), (37, 58), (50, 68)), (60, 110, 230))


def _builder(pen: Pen) -> None:
    pen.half_disc(0, 80, 20, 19, (255, 150, 0))
    pen.rectangle(-24, 78, 20, 82, (255, 150, 0))
    pen.bar(((28, 30), (38, 58)), 4, WOOD)
    pen.polygon(((25, 60), (29, 72), (53, 64), (49, 52)), STEEL)


def _artist(pen: Pen) -> None:
    pen.ellipse(-4, 86, 24, 8, (30, 30, 40))
    pen.bar(((-4, 93), (-2, 98)), 2, (30, 30, 40))
    pen.ellipse(34, 40, 15, 18, (222, 178, 120))
    for x, y, colour in ((29, 49, RED), (38, 50, GOLD), (42, 40, (40, 160, 70)), (37, 31, (60, 110, 230))):
        pen.dot(x, y, 4, colour)


def _teacher(pen: Pen) -> None:
    pen.rectangle(-50, 46, -22, 86, (34, 92, 66))
    pen.stroke(((-45, 76), (-28, 76)), 3, PAPER)
    pen.stroke(((-45, 66), (-30, 66)), 3, PAPER)
    pen.stroke(((-45, 56), (-28, 56)), 3, PAPER)
    for x in (-7, 7):
        pen.ellipse(x, 69, 6.5, 6, (235, 245, 255))
        pen.dot(x, 69, 2.6)


def _musician(pen: Pen) -> None:
    pen.bar(((12, 24), (44, 62)), 4, WOOD)
    pen.ellipse(10, 22, 14, 13, (240, 140, 40))
    pen.ellipse(18, 33, 10, 9, (240, 140, 40))
    pen.dot(14, 27, 4.5)
    pen.polygon(((-13, 88), (-11, 100), (11, 100), (13, 88)), (30, 30, 40))
    pen.bar(((-22, 87), (22, 87)), 3, (30, 30, 40))


def _judge(pen: Pen) -> None:
    for x, y in ((-19, 62), (19, 62), (-21, 73), (21, 73), (-15, 85), (15, 85), (0, 90)):
        pen.ellipse(x, y, 9, 8, (225, 225, 232))
    pen.bar(((28, 30), (40, 50)), 3.5, WOOD)
    pen.polygon(((30, 54), (40, 64), (50, 54), (40, 44)), WOOD)


def _waiter(pen: Pen) -> None:
    pen.polygon(((-13, 57), (-13, 47), (0, 52)), INKY)
    pen.polygon(((13, 57), (13, 47), (0, 52)), INKY)
    pen.bar(((13, 48), (34, 52)), 7, PAPER)
    pen.bar(((20, 58), (50, 58)), 3, STEEL)
    pen.half_disc(35, 60, 13, 17, STEEL)
    pen.dot(35, 79, 3)


def _clown(pen: Pen) -> None:
    for x, colour in ((-20, (255, 120, 30)), (20, (255, 120, 30))):
        pen.ellipse(x, 78, 12, 12, colour)
    pen.ellipse(0, 67, 6, 6, RED)
    pen.polygon(((-11, 86), (0, 110), (11, 86)), (40, 190, 200))
    pen.ellipse(0, 108, 4, 4, GOLD)
    pen.stroke(((28, 36), (40, 62)), 1.8)
    pen.ellipse(40, 72, 10, 12, (255, 90, 180))


INKY: Final[Rgb] = (30, 30, 40)
_GEAR: Final[Mapping[str, Callable[[Pen], None]]] = MappingProxyType(
    {
        "doctor": _doctor,
        "chef": _chef,
        "firefighter": _firefighter,
        "farmer": _farmer,
        "astronaut": _astronaut,
        "builder": _builder,
        "artist": _artist,
        "teacher": _teacher,
        "musician": _musician,
        "judge": _judge,
        "waiter": _waiter,
        "clown": _clown,
    }
)


def draw_person(pen: Pen, subject: str, clothes: Rgb, skin: str, gender: str) -> None:
    """Draw one occupation in the pen's box.

    Args:
        pen: where to draw.
        subject: one of the people of ``world.GROUPS``.
        clothes: the colour attribute as RGB.
        skin: a value of the skin attribute.
        gender: a value of the gender attribute; long hair and a skirt, or short hair and trousers.
    """
    _body(pen, clothes, SKIN[skin], gender == "female")
    _GEAR[subject](pen)
