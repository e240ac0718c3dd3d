"""Looks of objects and figures: materials, known colours, parts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_gen.human.kinds import DENSITIES, Kind, kind_of
from data_gen.human.looks import figure_colors, surface_of
from data_gen.scene.palette import HAIR_COLORS, SKIN_COLORS, linear_rgb
from data_gen.scene.skin import Skin


@pytest.mark.parametrize("material", DENSITIES)
def test_every_material_has_a_look_with_known_colours(material: str) -> None:
    found = [surface_of(Kind("thing", material), (), np.random.default_rng(seed)) for seed in range(20)]
    for surface in found:
        assert linear_rgb(surface.color) != linear_rgb(surface.second_color)
        assert 0 < surface.roughness < 1 and surface.texture == ""
        assert (surface.metallic > 0) == (material == "metal")
    assert len({surface.color for surface in found}) > 1


def test_known_things_have_their_colours() -> None:
    rng = np.random.default_rng(0)
    assert surface_of(kind_of("banana"), (), rng).color == "yellow"
    assert {surface_of(kind_of("apple.001"), (), rng).color for _ in range(20)} == {"red", "green"}


def test_a_set_of_images_is_used_where_its_name_fits() -> None:
    rng = np.random.default_rng(0)
    sets = ("Wood_Oak", "metal_brushed")
    assert surface_of(kind_of("table"), sets, rng).texture == "Wood_Oak"
    assert surface_of(kind_of("mug"), sets, rng).texture == ""


def skin(parts: tuple[str, ...], colors: tuple[tuple[float, float, float] | None, ...]) -> Skin:
    none, empty = np.zeros((0, 3)), np.zeros((0, 4))
    return Skin(none, none.astype(int), empty.astype(int), empty, parts, np.zeros(0, int), colors)


def test_a_figures_parts_are_told_by_their_names_and_keep_their_own_colours() -> None:
    figure = skin(("skin", "Ch02_Hair", "top", "eyes"), (None, None, None, (0.1, 0.1, 0.1)))
    drawn = [figure_colors(figure, np.random.default_rng(seed)) for seed in range(30)]
    assert {colors[3] for colors in drawn} == {""}
    assert {colors[0] for colors in drawn} == set(SKIN_COLORS)
    assert {colors[1] for colors in drawn} <= set(HAIR_COLORS)
    assert len({colors[2] for colors in drawn}) > 4
    for colors in drawn:
        assert all(0 <= value <= 1 for name in colors[:3] for value in linear_rgb(name))


PART_NAMES = {
    "skin": ("Body", "Bodymat", "Ch02_Body", "Head", "Wolf3D_Skin"),
    "hair": ("Hair", "Ch02_Hair", "Eyelashes", "Ch31_Eyelashes", "Eyebrows", "Beard"),
    "shoes": ("Shoes", "Ch02_Sneakers", "Ch02_Socks", "Boots", "Wolf3D_Outfit_Footwear"),
    "bottoms": ("Bottoms", "Bottommat", "Ch15_Pants", "Jeans"),
    "top": ("Tops", "Topmat", "Ch02_Cloth", "Ch31_Hoodie", "Shirt", "Bodysuit", "Material.001"),
}


@pytest.mark.parametrize("part", PART_NAMES)
def test_parts_with_mixamos_names_get_the_colours_of_what_they_are(part: str) -> None:
    """Remy's and Sophie's Body, Eyes and Eyelashes had the colour of the shirt."""
    own = ("skin", "hair", "shoes", "bottoms", "top")
    figure = skin((*own, *PART_NAMES[part], "Eyes"), (None,) * (len(own) + len(PART_NAMES[part]) + 1))
    for seed in range(20):
        colors = figure_colors(figure, np.random.default_rng(seed))
        assert set(colors[len(own) : -1]) == {colors[own.index(part)]}
        assert max(linear_rgb(colors[-1])) < 0.1


def test_a_figure_with_images_is_left_as_its_file_has_it() -> None:
    textured = replace(skin(("Body", "Tops"), ((0.5, 0.4, 0.3), (0.8, 0.8, 0.8))), look=Path("look.blend"))
    assert figure_colors(textured, np.random.default_rng(0)) == ("", "")
