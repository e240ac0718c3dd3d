"""The two recipes: every key in both files, each explained, each an ablation by itself."""

from __future__ import annotations

from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from void.composition import compose_config
from void.recipe import RecipeConfig

CONF = Path(__file__).parents[1] / "conf" / "recipe"
NAMES = ("released", "corrected")
KEYS = [field.name for field in fields(RecipeConfig)]


def values(name: str) -> dict[str, Any]:
    """The keys of a recipe's file, in their order."""
    content = yaml.safe_load((CONF / f"{name}.yaml").read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if key != "defaults"}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_has_exactly_the_keys_of_the_configuration(name: str) -> None:
    assert list(values(name)) == KEYS
    assert values(name)["name"] == name


@pytest.mark.parametrize("name", NAMES)
def test_each_key_has_one_comment_line_of_its_own(name: str) -> None:
    lines = (CONF / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    body = lines[lines.index(f"name: {name}") + 1 :]
    comments, keys = body[::2], body[1::2]
    assert [line.split(":")[0] for line in keys] == KEYS[1:]
    assert all(line.startswith("# ") for line in comments)
    assert len(set(comments)) == len(comments)


@pytest.mark.parametrize("key", KEYS)
def test_the_recipes_differ_in_every_key(key: str) -> None:
    assert values("released")[key] != values("corrected")[key]


def test_corrected_is_the_default() -> None:
    assert compose_config([]).recipe == RecipeConfig() == compose_config(["recipe=corrected"]).recipe


@pytest.mark.parametrize("key", KEYS[1:])
def test_each_key_alone_is_a_legal_ablation(key: str) -> None:
    for base, other in (NAMES, NAMES[::-1]):
        override = values(other)[key]
        word = "null" if override is None else str(override).lower()
        ablated = compose_config([f"recipe={base}", f"recipe.{key}={word}"]).recipe
        plain = asdict(compose_config([f"recipe={base}"]).recipe)
        assert {name: value for name, value in asdict(ablated).items() if value != plain[name]} == {key: override}
