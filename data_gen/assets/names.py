"""The words for assets in captions."""

from __future__ import annotations

import re

from data_gen.assets.manifest import Entry

CATEGORIES = {
    "Action Figures": "action figure",
    "Bag": "bag",
    "Board Games": "board game",
    "Bottles and Cans and Cups": "container",
    "Camera": "camera",
    "Car Seat": "car seat",
    "Consumer Goods": "package",
    "Hat": "hat",
    "Headphones": "headphone set",
    "Keyboard": "keyboard",
    "Legos": "toy brick set",
    "Media Cases": "media case",
    "Mouse": "computer mouse",
    "Shoe": "shoe",
    "Stuffed Toys": "stuffed toy",
    "Toys": "toy",
}
"""Google Scanned Objects' categories, which are plurals and headings, as nouns."""
UNSPECIFIC = ("", "None", None)
MAX_WORDS = 2


def noun(entry: Entry) -> str:
    """From the asset's category, or else from its id: `Threshold_Bamboo_Soap_Dish` is a "soap dish"."""
    category = entry.metadata.get("category")
    if category not in UNSPECIFIC:
        return CATEGORIES.get(str(category), str(category))
    words = [word for word in re.split(r"[_\W]+", entry.id) if re.fullmatch(r"[A-Z]?[a-z]{2,}", word)]
    return " ".join(words[-MAX_WORDS:]).lower() or "object"
