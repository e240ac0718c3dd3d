"""Every default value that README.md and docs/ state is the one of the configuration."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from documented import DOCS, ROOT
from omegaconf import DictConfig, OmegaConf

from void.composition import compose_raw

PAGES = [ROOT / "README.md", *(page for page in sorted(DOCS.glob("*.md")) if page.name != "decisions.md")]
KEY = r"`([a-z_0-9]+(?:\.[a-z_0-9]+)+)`"
NUMBER = r"(\d+(?:\.\d+)?)"
PHRASES = {
    "number in brackets": rf"{KEY}(?: [a-z]+)? \((?:default )?{NUMBER}\)",
    "choice of a group or key": r"()`([\w.]+=[^`\s]+)`(?:,| is| \| nothing)? \(?(?:the )?default\b",
    "row of a key and its value": r"^\| `([\w.]+)` \| `(\w+)` \| [^|\n]*\(the default",
    "row below a key": r"^\| `(\w+\.[\w.]+)` \|.*\n\|[-| ]+\n(?:\|.*\n)*?\| `(\w+)` \((?:the )?default\)",
}
"""Ways to state a default; the groups are the key and its value."""
REVERSED = {
    "number, then key": rf"{NUMBER} (?:s, the default of|is the default [a-z]+) \(?{KEY}",
}
"""Ways in which the value comes first."""


def table_claims(text: str) -> list[tuple[str, str]]:
    """Rows of the tables that begin with the columns `key` and `default`."""
    claims = []
    for rows in re.findall(r"^\| key \| default \|.*\n\|[-| ]+\n((?:\|.*\n)+)", text, re.MULTILINE):
        for row in rows.splitlines():
            cells = [cell.strip() for cell in row.strip("|").split("|")]
            is_value = re.fullmatch(rf"`[^`]+`|{NUMBER}|null", cells[1])
            if re.fullmatch(KEY, cells[0]) and is_value:
                claims.append((cells[0].strip("`"), cells[1].strip("`")))
    return claims


def claims_of(text: str) -> list[tuple[str, str]]:
    """Keys with the default values that a page states for them."""
    claims = table_claims(text)
    for pattern in PHRASES.values():
        for key, value in re.findall(pattern, text, re.MULTILINE):
            claims.append((key, value) if key else tuple(value.split("=", 1)))
    for pattern in REVERSED.values():
        claims += [(key, value) for value, key in re.findall(pattern, text)]
    for first, second, one, other in re.findall(rf"{KEY} and {KEY} \({NUMBER}, {NUMBER}\)", text):
        claims += [(first, one), (second, other)]
    return claims


CLAIMS = [(page.name, key, value) for page in PAGES for key, value in dict(claims_of(page.read_text())).items()]


@pytest.fixture(scope="module")
def defaults() -> DictConfig:
    return compose_raw([])


def default_of(config: DictConfig, key: str) -> Any:
    """The value of a key; of a group its choice, which is its `name` or `kind`."""
    value = OmegaConf.select(config, key, throw_on_missing=True)
    if isinstance(value, DictConfig):
        return value.get("name") or value.get("kind")
    return getattr(value, "value", value)


@pytest.mark.parametrize(("page", "key", "value"), CLAIMS, ids=lambda part: str(part))
def test_a_stated_default_is_the_configurations(page: str, key: str, value: str, defaults: DictConfig) -> None:
    assert default_of(defaults, key) == yaml.safe_load(value), f"{page} states another default of {key}"


@pytest.mark.parametrize(
    "claim",
    [
        ("recipes.md", "infer.overlap", "16"),
        ("inference.md", "infer.composite", "none"),
        ("inference.md", "infer.feather", "16"),
        ("inference.md", "recipe", "corrected"),
        ("data-generation.md", "scene.mask", "measured"),
        ("data-generation.md", "executor.timeout", "900"),
        ("morphing.md", "infer.pass2.morphing_threshold", "1"),
        ("plan.md", "plan.margin", "0.06"),
        ("pipeline.md", "infer.cache", "none"),
        ("pipeline.md", "infer.cache_threshold", "0.1"),
        ("training.md", "cache.max_failures", "0"),
        ("training.md", "noise.rotate_channels", "true"),
        ("training.md", "tracker", "wandb"),
        ("weights.md", "export.lora_layout", "diffusers"),
    ],
    ids=lambda claim: "-".join(claim),
)
def test_each_way_to_state_a_default_is_read(claim: tuple[str, str, str]) -> None:
    assert claim in CLAIMS
