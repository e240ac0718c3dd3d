"""What a cache is made from, and the key under which it is stored: change any ingredient and the key changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from void.config import VoidConfig
from void.errors import InputError
from void.files import read_json, sha256_of
from void.manifest import ManifestRow
from void.models.identity import tokenizer_identity, weights_identity
from void.recipe import effective_levels

SCHEMA = 2
INDEX = "index.json"
KEY_LENGTH = 16
PAIRS = "pairs"
VARIANTS = "input_variants"


def ingredients(cfg: VoidConfig, rows: list[ManifestRow]) -> dict[str, Any]:
    """Everything the tensors depend on, as JSON: geometry, condition, networks, number format, each pair's bytes.

    No network is built: weights from files are known by the files' checksums, random ones by their seed.

    Raises:
        InputError: a file of weights is missing.
    """
    model = cfg.model
    noisy = model.conditioning_noise
    vae_weights = weights_identity(model, model.vae_weights)
    text_weights = weights_identity(model, model.text_encoder_weights)
    return {
        "schema": SCHEMA,
        "frames": cfg.data.frames,
        "height": cfg.data.height,
        "width": cfg.data.width,
        "mask_levels": effective_levels(cfg.recipe.mask_levels, cfg.stage.name, training=True).value,
        "conditioning_noise": noisy,
        VARIANTS: cfg.cache.noise_variants if noisy else 1,
        "cache_dtype": cfg.cache.dtype.value,
        "model_dtype": model.dtype,
        "vae": {"config": model.vae, "weights": vae_weights},
        "text_encoder": {"config": model.text_encoder, "weights": text_weights},
        "tokenizer": tokenizer_identity(model),
        "max_text_tokens": model.max_text_tokens,
        PAIRS: {row.id: {"caption": row.caption, "checksums": row.checksums} for row in rows},
    }


def content_key(made_from: dict[str, Any]) -> str:
    """The name of the folder: a hash over the ingredients."""
    return sha256_of(made_from)[:KEY_LENGTH]


def shard_key(made_from: dict[str, Any], ids: list[str]) -> str:
    """The key of one shard: a hash over the ingredients, with only the pairs the shard is meant to hold."""
    return content_key(made_from | {PAIRS: [[pair_id, made_from[PAIRS][pair_id]] for pair_id in ids]})


def find_finished(root: Path, wanted: dict[str, Any], recorded_as: str, what: str) -> dict[str, Any]:
    """The index.json of the folder below `root` that holds exactly this content.

    Args:
        root: of all such folders.
        wanted: the ingredients.
        recorded_as: the index's key of its ingredients.
        what: the folders hold, for messages.

    Raises:
        InputError: there is none; what differs from the nearest that does exist is named.
    """
    remedy = "run `void cache` with the same overrides first"
    folder = root / content_key(wanted)
    if (folder / INDEX).is_file():
        index: dict[str, Any] = read_json(folder / INDEX)
        return index
    if folder.is_dir():
        raise InputError(f"{folder} is unfinished", f"{remedy}: it continues")
    found = [read_json(index)[recorded_as] for index in sorted(root.glob(f"*/{INDEX}"))]
    if not found:
        raise InputError(f"{root} holds no {what}", remedy)
    nearest = min((differences(wanted, other) for other in found), key=len)
    raise InputError(f"the {what} in {root} belongs to other content: {'; '.join(nearest)}", remedy)


def differences(wanted: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """How another cache's ingredients differ, in words, one entry each."""
    named = []
    for name in sorted((wanted.keys() | found.keys()) - {PAIRS}):
        here, there = wanted.get(name), found.get(name)
        if here != there:
            scalar = not isinstance(here, dict) and not isinstance(there, dict)
            named.append(f"{name} is {here}, was {there}" if scalar else name)
    here, there = wanted[PAIRS], found.get(PAIRS, {})
    counts = {
        "added": len(here.keys() - there.keys()),
        "removed": len(there.keys() - here.keys()),
        "changed": sum(here[pair_id] != there[pair_id] for pair_id in here.keys() & there.keys()),
    }
    if any(counts.values()):
        named.append("pairs: " + ", ".join(f"{count} {word}" for word, count in counts.items() if count))
    return named
