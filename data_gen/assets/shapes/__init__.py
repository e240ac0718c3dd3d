"""The shapes of the embedded pack, by id."""

from __future__ import annotations

from data_gen.assets.recipe import Recipe
from data_gen.assets.shapes import balls, forms, household, structures, toys, vessels

OBJECTS: dict[str, Recipe] = dict(
    sorted((balls.RECIPES | forms.RECIPES | household.RECIPES | toys.RECIPES | vessels.RECIPES).items())
)
"""What scenes are about. Each is in one split only."""
STRUCTURES: dict[str, Recipe] = dict(sorted(structures.RECIPES.items()))
"""What scenes are built with. In both splits."""
