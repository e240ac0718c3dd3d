"""docs/formats.md says what the code does."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np

from void import layers, pairs, shapes
from void.files import read_json
from void.quadmask import LEVELS, THRESHOLDS

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "formats.md").read_text()


def section(title: str) -> str:
    return PAGE.split(f"## {title}\n")[1].split("\n## ")[0]


def first_cells(title: str) -> list[str]:
    cells = re.findall(r"^\| (.+?) \|", section(title), re.MULTILINE)
    return re.findall(r"`([\w.]+)`", " ".join(cells))


def test_every_file_of_a_pair_is_in_the_tree() -> None:
    for name in (*pairs.VIDEOS, *layers.LAYERS, pairs.METADATA, pairs.MANIFEST):
        assert f"── {name} " in section("A data folder")


def test_every_array_of_a_layer_is_described() -> None:
    described: dict[str, dict[str, tuple[str, str, str]]] = {}
    files: list[str] = []
    for row in re.findall(r"^\|(.*?)\| `(\w+)` \| (\w+) \| \((.*?)\) \| (.*?) ?\|$", section("Layers"), re.MULTILINE):
        cell, array, dtype, shape, setting = row
        files = re.findall(r"`([\w.]+)`", cell) or files
        for file in files:
            described.setdefault(file, {})[array] = (dtype, shape, setting)
    assert set(described) == set(layers.LAYERS)
    for file, layer in layers.LAYERS.items():
        forms = {
            name: (np.dtype(form.dtype).name, ", ".join(str(length) for length in form.shape))
            for name, form in layer.forms.items()
        }
        assert {name: cells[:2] for name, cells in described[file].items()} == forms
        setting = next(iter(described[file].values()))[2].strip("`")
        assert setting in layer.remedy or setting == "always written"


def test_the_range_of_depth() -> None:
    assert f"is at {layers.FAR:g} m" in section("Layers")


def test_levels_and_thresholds() -> None:
    table = re.findall(r"^\| (\d+) \| \w+ \| (yes|no) \| (yes|no) \|", section("The quadmask"), re.MULTILINE)
    assert tuple(int(row[0]) for row in table) == LEVELS
    assert [row[1:] for row in table] == [("yes", "no"), ("yes", "yes"), ("no", "yes"), ("no", "no")]
    assert "thresholds {:g}, {:g} and {:g}".format(*THRESHOLDS) in section("The quadmask")


def test_metadata_keys(toy_data: Path) -> None:
    written = read_json(toy_data / "pairs" / "toy-0" / pairs.METADATA)
    assert set(first_cells("metadata.json")) == set(written)


def test_manifest_keys(toy_data: Path) -> None:
    assert set(first_cells("manifest.jsonl")) == {field.name for field in dataclasses.fields(pairs.ManifestRow)}
    header = (toy_data / pairs.MANIFEST).read_text().splitlines()[0]
    assert f"`{header}`" in section("manifest.jsonl")
    assert json.loads(header)["schema"] == pairs.SCHEMA


def test_lengths_and_sizes() -> None:
    text = section("Lengths and sizes")
    legal = [int(number) for number in re.findall(r"\d+", text.split("**8k+5**:")[1].split("|")[0])]
    assert legal == [5, 13, 21, 85, 197] and all(map(shapes.is_legal_frames, legal))
    assert f"multiples of **{shapes.SIZE_MULTIPLE}**" in text
    pixels, latents = re.findall(r"(\d+(?:x\d+)+) pixels are (\d+(?:x\d+)+)", text)[0]
    assert "x".join(map(str, shapes.latent_shape(*map(int, pixels.split("x"))))) == latents
