"""What the objects of motions are: the word for them, what they are made of, what they may weigh."""

from __future__ import annotations

import re
from dataclasses import dataclass

DENSITIES = {
    "wood": 600.0,
    "metal": 2700.0,
    "plastic": 950.0,
    "ceramic": 2300.0,
    "glass": 2500.0,
    "fabric": 120.0,
    "leather": 300.0,
    "paper": 500.0,
    "rubber": 350.0,
    "food": 900.0,
    "wicker": 300.0,
}
"""kg per cubic metre of the visible mesh. Metal is aluminium, as for what people lift; fabric is upholstery."""
FRICTIONS = {"rubber": 0.9, "fabric": 0.7, "leather": 0.6, "wood": 0.5, "wicker": 0.5, "paper": 0.45, "food": 0.45}
RESTITUTIONS = {"rubber": 0.7, "plastic": 0.3, "wood": 0.25, "metal": 0.2, "ceramic": 0.2, "glass": 0.2, "wicker": 0.2}
SMOOTH = 0.35
"""Friction of all other materials."""
DULL = 0.1
"""Restitution of all other materials."""
ANY_MASS = (0.01, 60.0)

Range = tuple[float, float]


@dataclass(frozen=True)
class Kind:
    """One kind of object."""

    noun: str
    """For captions."""
    material: str
    """A key of `DENSITIES`."""
    masses: Range = ANY_MASS
    """Kilograms, least and most."""

    @property
    def density(self) -> float:
        """kg per cubic metre."""
        return DENSITIES[self.material]

    @property
    def friction(self) -> float:
        """Coefficient of Coulomb's law."""
        return FRICTIONS.get(self.material, SMOOTH)

    @property
    def restitution(self) -> float:
        """Speed after a hit / speed before."""
        return RESTITUTIONS.get(self.material, DULL)

    def mass(self, volume: float) -> float:
        """Kilograms of a volume of cubic metres, within what such a thing may weigh."""
        least, most = self.masses
        return min(max(volume * self.density, least), most)


LIGHT, HANDY, HEAVY, FURNITURE = (0.01, 0.3), (0.1, 2.0), (0.5, 8.0), (2.0, 40.0)

_WORDS: dict[str, tuple[str, Range]] = {
    # The last word of a name that is listed decides; where none is, the default.
    "table": ("wood", FURNITURE),
    "desk": ("wood", FURNITURE),
    "counter": ("wood", FURNITURE),
    "chair": ("wood", (2.0, 15.0)),
    "stool": ("wood", (1.5, 10.0)),
    "armchair": ("fabric", (5.0, 30.0)),
    "sofa": ("fabric", (15.0, 60.0)),
    "couch": ("fabric", (15.0, 60.0)),
    "bed": ("wood", FURNITURE),
    "bench": ("wood", FURNITURE),
    "shelf": ("wood", FURNITURE),
    "bookshelf": ("wood", FURNITURE),
    "cabinet": ("wood", FURNITURE),
    "drawer": ("wood", (0.5, 8.0)),
    "dresser": ("wood", FURNITURE),
    "door": ("wood", FURNITURE),
    "cart": ("metal", (3.0, 25.0)),
    "trolley": ("metal", (3.0, 25.0)),
    "ladder": ("metal", (2.0, 12.0)),
    "rack": ("metal", (1.0, 20.0)),
    "mug": ("ceramic", (0.15, 0.6)),
    "cup": ("ceramic", (0.1, 0.5)),
    "bowl": ("ceramic", (0.15, 1.5)),
    "plate": ("ceramic", (0.15, 1.0)),
    "dish": ("ceramic", (0.15, 1.0)),
    "vase": ("ceramic", (0.2, 3.0)),
    "teapot": ("ceramic", (0.3, 1.5)),
    "jug": ("ceramic", (0.2, 2.0)),
    "pitcher": ("glass", (0.2, 2.0)),
    "glass": ("glass", (0.1, 0.6)),
    "goblet": ("glass", (0.1, 0.6)),
    "jar": ("glass", (0.15, 1.5)),
    "bottle": ("plastic", (0.05, 1.5)),
    "spoon": ("metal", (0.02, 0.15)),
    "fork": ("metal", (0.02, 0.15)),
    "knife": ("metal", (0.03, 0.3)),
    "spatula": ("wood", (0.03, 0.3)),
    "ladle": ("metal", (0.05, 0.4)),
    "whisk": ("metal", (0.03, 0.3)),
    "chopsticks": ("wood", (0.01, 0.05)),
    "pan": ("metal", (0.4, 3.0)),
    "pot": ("metal", (0.4, 4.0)),
    "kettle": ("metal", (0.4, 2.0)),
    "wok": ("metal", (0.5, 3.0)),
    "tray": ("wood", (0.2, 2.0)),
    "board": ("wood", (0.2, 3.0)),
    "basket": ("wicker", (0.2, 2.5)),
    "hamper": ("wicker", (0.4, 4.0)),
    "can": ("metal", (0.05, 3.0)),
    "bin": ("plastic", (0.2, 4.0)),
    "bucket": ("plastic", (0.2, 2.0)),
    "box": ("paper", (0.1, 5.0)),
    "crate": ("wood", (0.5, 6.0)),
    "book": ("paper", (0.1, 2.0)),
    "notebook": ("paper", (0.05, 1.0)),
    "magazine": ("paper", (0.05, 0.5)),
    "newspaper": ("paper", (0.05, 0.5)),
    "envelope": ("paper", LIGHT),
    "bag": ("leather", (0.2, 4.0)),
    "backpack": ("fabric", (0.3, 4.0)),
    "suitcase": ("plastic", (2.0, 10.0)),
    "briefcase": ("leather", (0.8, 4.0)),
    "pillow": ("fabric", (0.2, 1.5)),
    "cushion": ("fabric", (0.2, 1.5)),
    "towel": ("fabric", (0.1, 1.0)),
    "blanket": ("fabric", (0.3, 3.0)),
    "hat": ("fabric", (0.05, 0.4)),
    "shoe": ("leather", (0.2, 1.0)),
    "ball": ("rubber", (0.05, 1.0)),
    "basketball": ("rubber", (0.5, 0.7)),
    "football": ("leather", (0.35, 0.5)),
    "dumbbell": ("metal", (1.0, 12.0)),
    "bat": ("wood", (0.5, 1.2)),
    "racket": ("metal", (0.1, 0.5)),
    "umbrella": ("fabric", (0.2, 1.0)),
    "broom": ("wood", (0.3, 1.5)),
    "mop": ("wood", (0.3, 2.0)),
    "hammer": ("metal", (0.3, 1.5)),
    "axe": ("metal", (0.5, 2.5)),
    "stick": ("wood", (0.1, 1.5)),
    "pole": ("wood", (0.2, 4.0)),
    "laptop": ("metal", (0.8, 3.0)),
    "monitor": ("plastic", (2.0, 8.0)),
    "keyboard": ("plastic", (0.3, 1.2)),
    "mouse": ("plastic", (0.05, 0.2)),
    "phone": ("plastic", (0.1, 0.3)),
    "usb": ("plastic", (0.01, 0.05)),
    "remote": ("plastic", (0.05, 0.3)),
    "headphones": ("plastic", (0.1, 0.5)),
    "camera": ("plastic", (0.2, 1.5)),
    "lamp": ("metal", (0.5, 6.0)),
    "guitar": ("wood", (1.0, 4.0)),
    "clock": ("plastic", (0.1, 2.0)),
    "fan": ("plastic", (0.5, 6.0)),
    "iron": ("plastic", (0.8, 2.0)),
    "vacuum": ("plastic", (2.0, 8.0)),
    "pen": ("plastic", LIGHT),
    "pencil": ("wood", LIGHT),
    "marker": ("plastic", LIGHT),
    "scissors": ("metal", LIGHT),
    "tape": ("plastic", LIGHT),
    "toothbrush": ("plastic", LIGHT),
    "brush": ("plastic", (0.02, 0.5)),
    "sponge": ("fabric", LIGHT),
    "apple": ("food", LIGHT),
    "orange": ("food", LIGHT),
    "banana": ("food", LIGHT),
    "pear": ("food", LIGHT),
    "lemon": ("food", LIGHT),
    "avocado": ("food", LIGHT),
    "tomato": ("food", LIGHT),
    "potato": ("food", (0.05, 0.5)),
    "bread": ("food", (0.05, 1.0)),
    "cake": ("food", (0.1, 2.0)),
    "watermelon": ("food", (1.0, 8.0)),
    "pumpkin": ("food", (0.5, 8.0)),
    "plant": ("ceramic", HEAVY),
    "toy": ("plastic", HANDY),
    "container": ("plastic", (0.05, 2.0)),
}
_MATERIALS = {
    "wooden": "wood",
    "metallic": "metal",
    "steel": "metal",
    "cardboard": "paper",
    "mixing": "metal",
    "bowling": "plastic",
    "utility": "plastic",
    "office": "plastic",
    "working": "plastic",
} | {material: material for material in DENSITIES}
"""Adjectives that say what a thing is made of."""
_NOUNS = {
    "working_chair": "office chair",
    "deep_plate": "plate",
    "usb": "USB stick",
    "trash_can": "trash can",
    "low_chair": "low chair",
}
_DEFAULT = ("plastic", ANY_MASS)


def kind_of(name: str) -> Kind:
    """The kind of an object with this name (`side_table`, `mug.001`, `basket_90`).

    The last word that is known decides, adjectives such as `wooden` the material; a name without any is plastic.
    """
    plain = re.sub(r"\.\d+$", "", name)
    words = [word for word in re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", plain).lower()) if word]
    known = [word for word in words if word in _WORDS]
    material, masses = _WORDS[known[-1]] if known else _DEFAULT
    head = known[-1] if known else ""
    material = next((_MATERIALS[word] for word in words if word in _MATERIALS and word != head), material)
    noun = _NOUNS.get("_".join(words)) or " ".join(words) or "object"
    return Kind(noun, material, masses)
