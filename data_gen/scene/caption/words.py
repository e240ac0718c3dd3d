"""Grammar: articles, plurals, numbers, lists, and what objects and floors are called."""

from __future__ import annotations

from collections.abc import Sequence

from data_gen.scene.palette import WOOD_COLORS
from data_gen.scene.spec import BackdropSpec, ObjectSpec, SurfaceSpec

METALLIC = 0.5
"""From this on a surface looks like metal."""
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_PLURALS = {
    "domino": "dominoes",
    "die": "dice",
    "shelf": "shelves",
    "knife": "knives",
    "leaf": "leaves",
    "loaf": "loaves",
    "mouse": "mice",
    "foot": "feet",
    "dress": "dresses",
    "sheep": "sheep",
    "fish": "fish",
    "scissors": "scissors",
    "dishes": "dishes",
}
_SOUNDS_LIKE_A_VOWEL = ("hour", "honest", "heir")
_SOUNDS_LIKE_A_CONSONANT = ("uni", "use", "usb", "util", "one", "once", "euro", "ukulele")
_WOOD_SHADES = {"pine": "light wooden", "oak": "wooden", "walnut": "dark wooden"}
assert _WOOD_SHADES.keys() == WOOD_COLORS.keys()


def article(words: str) -> str:
    """The indefinite article in front of words that follow: "a" or "an"."""
    start = words.lower()
    if start.startswith(_SOUNDS_LIKE_A_VOWEL):
        return "an"
    return "an" if start[0] in "aeiou" and not start.startswith(_SOUNDS_LIKE_A_CONSONANT) else "a"


def plural(noun: str) -> str:
    """The plural of a noun of one or several words, of which the last one changes."""
    *before, last = noun.split(" ")
    if last in _PLURALS:
        ending = _PLURALS[last]
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        ending = f"{last}es"
    elif last.endswith("y") and last[-2:-1] not in tuple("aeiou"):
        ending = f"{last[:-1]}ies"
    else:
        ending = f"{last}s"
    return " ".join([*before, ending])


def number(count: int) -> str:
    """A count in words as far as twelve."""
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def listed(parts: Sequence[str]) -> str:
    """a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def sentence(text: str) -> str:
    """With a capital at the start and a full stop."""
    return f"{text[0].upper()}{text[1:]}."


def look(surface: SurfaceSpec) -> str:
    """Adjectives for a surface, for example "red and white striped"."""
    first, second = surface.color, surface.second_color
    if surface.pattern == "wood":
        return _WOOD_SHADES.get(first, f"{first} wooden")
    if surface.pattern in ("checkered", "striped", "dotted"):
        words = f"{first} and {second} {surface.pattern}"
    elif surface.pattern == "plain":
        words = first
    else:
        words = f"{first} {'marbled' if surface.pattern == 'marble' else surface.pattern}"
    return f"metallic {words}" if surface.metallic >= METALLIC else words


def noun(item: ObjectSpec, *, brief: bool = False) -> str:
    """What an object is called, its colours included; `brief`: its main colour alone."""
    if item.surface is None:
        return item.name
    wooden = item.surface.pattern == "wood"
    return f"{item.surface.color if brief and not wooden else look(item.surface)} {item.name}"


def ground(backdrop: BackdropSpec, *, brief: bool = False) -> str:
    """The floor, with its article, and the walls around it."""
    if backdrop.surface is None:
        return "the ground"
    words = backdrop.surface.color if brief else look(backdrop.surface)
    floor = f"{article(words)} {words} floor"
    if brief or backdrop.room is None:
        return floor
    return f"{floor} in a room with {backdrop.room.surface.color} walls"
