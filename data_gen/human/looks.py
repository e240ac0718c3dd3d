"""How objects of motions and figures look: surfaces by material, clothes, hair and skin. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from data_gen.human.kinds import Kind
from data_gen.scene.palette import HAIR_COLORS, OBJECT_COLORS, SKIN_COLORS, WOOD_COLORS
from data_gen.scene.skin import Skin
from data_gen.scene.spec import Pattern, SurfaceSpec
from data_gen.seeds import Rng


@dataclass(frozen=True)
class _Look:
    colors: tuple[str, ...]
    roughness: tuple[float, float]
    metallic: float = 0.0
    patterns: tuple[Pattern, ...] = ("plain",)


_BRIGHT = tuple(OBJECT_COLORS)
_LOOKS = {
    "wood": _Look(tuple(WOOD_COLORS), (0.4, 0.7), patterns=("wood",)),
    "metal": _Look(("steel", "charcoal", "brass", "grey"), (0.25, 0.5), metallic=0.8),
    "plastic": _Look((*_BRIGHT, "white", "charcoal"), (0.3, 0.55)),
    "ceramic": _Look(("cream", "white", "sky blue", "mint", "terracotta", "navy"), (0.15, 0.35)),
    "glass": _Look(("sky blue", "mint", "teal"), (0.05, 0.15)),
    "fabric": _Look(
        ("denim", "cream", "mustard", "brick", "sage", "charcoal"), (0.8, 0.95), patterns=("plain", "striped")
    ),
    "leather": _Look(("tan", "brown", "black", "maroon"), (0.45, 0.65)),
    "paper": _Look(("cardboard", "ivory"), (0.75, 0.9)),
    "rubber": _Look(_BRIGHT, (0.5, 0.8), patterns=("plain", "striped")),
    "food": _Look(("red", "green", "yellow", "orange", "tan"), (0.4, 0.6), patterns=("plain", "mottled")),
    "wicker": _Look(("tan", "beige"), (0.7, 0.9)),
}
"""By `Kind.material`."""
_OWN_COLORS: dict[str, tuple[str, ...]] = {
    "apple": ("red", "green"),
    "banana": ("yellow",),
    "lemon": ("yellow",),
    "pear": ("lime", "green"),
    "orange": ("orange",),
    "tomato": ("red",),
    "avocado": ("olive",),
    "watermelon": ("green",),
    "pumpkin": ("orange",),
    "potato": ("tan",),
    "bread": ("tan",),
    "basketball": ("orange",),
    "trash can": ("charcoal", "grey", "steel"),
    "laptop": ("steel", "charcoal"),
    "monitor": ("black", "charcoal"),
}
"""By the last words of `Kind.noun`."""
_CLOTHES = {
    "top": ("red", "blue", "green", "teal", "purple", "mustard", "white", "cream", "maroon", "sky blue", "navy"),
    "bottoms": ("denim", "navy", "charcoal", "black", "tan", "olive", "grey"),
    "shoes": ("black", "white", "brown", "charcoal", "red"),
}
_PARTS = {**_CLOTHES, "skin": tuple(SKIN_COLORS), "hair": tuple(HAIR_COLORS)}
_EYES, _TEETH = "charcoal", "ivory"
_PART_WORDS = (
    ("hair", ("hair", "lash", "brow", "beard", "mustache", "moustache")),
    ("eyes", ("eye",)),
    ("teeth", ("teeth", "tooth")),
    ("shoes", ("shoe", "footwear", "sneaker", "boot", "sock", "sandal")),
    ("bottoms", ("bottom", "trouser", "pants", "jeans", "short", "skirt", "legging")),
    ("top", ("top", "shirt", "cloth", "jacket", "sweater", "hoodie", "coat", "dress", "suit")),
    ("skin", ("skin", "body", "head", "face", "hands")),
)
"""Words in the names of parts and of what Mixamo's and other figures call theirs; the first that fits counts."""


def surface_of(kind: Kind, textures: Sequence[str], rng: Rng) -> SurfaceSpec:
    """Draw the surface of an object.

    Args:
        kind: decides the material.
        textures: names of PBR sets; one whose name holds the material's is used if there is any.
        rng: source of all draws.
    """
    look = _LOOKS[kind.material]
    own = next((colors for noun, colors in _OWN_COLORS.items() if kind.noun.endswith(noun)), look.colors)
    color, second = _choose(own, rng), _choose(look.colors, rng)
    if second == color:
        second = look.colors[(look.colors.index(color) + 1) % len(look.colors)] if color in look.colors else second
    pattern: Pattern = look.patterns[int(rng.integers(len(look.patterns)))]
    roughness = float(rng.uniform(*look.roughness))
    fitting = [name for name in textures if kind.material in name.lower()]
    texture = _choose(fitting, rng) if fitting else ""
    return SurfaceSpec(pattern, color, second, roughness, look.metallic, texture)


def figure_colors(skin: Skin, rng: Rng) -> tuple[str, ...]:
    """Draw the colours of a figure's parts, in their order; "" where the part has a colour of its own.

    All parts of a figure with images are as its file has them. A part whose name says nothing is taken for clothes.

    Args:
        skin: its parts are told by words in their names.
        rng: source of all draws.
    """
    drawn = {part: _choose(colors, rng) for part, colors in _PARTS.items()} | {"eyes": _EYES, "teeth": _TEETH}
    return tuple(
        "" if own is not None else drawn[_part_of(name)] for name, own in zip(skin.parts, skin.colors, strict=True)
    )


def _part_of(name: str) -> str:
    lower = name.lower()
    return next((part for part, words in _PART_WORDS if any(word in lower for word in words)), "top")


def _choose(options: Sequence[str], rng: Rng) -> str:
    return options[int(rng.integers(len(options)))]
