"""The latent cache: what it holds, when it is reused, continued, refused."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from rounding import TINY_VAE, assert_same
from toy import TOY_FRAMES, TOY_HEIGHT, TOY_WIDTH, toy_overrides, toy_pair, write_toy_data

from void.cache import encode, store
from void.cache.key import content_key, ingredients
from void.cache.shards import BY_VARIANT, TENSORS
from void.cache.store import build_cache, open_cache
from void.conditioning import mask_video, rgb_video
from void.config import VoidConfig
from void.errors import InputError
from void.files import PARTIAL_MARK
from void.lock import sole_writer
from void.models.build import build_vae
from void.models.vae import encode_moments
from void.pairs import RGB_FULL, read_manifest, read_pair, write_pair
from void.recipe import MaskLevels
from void.shapes import latent_shape

Compose = Callable[..., VoidConfig]


@pytest.fixture
def own_data(tmp_path: Path, toy_data: Path) -> Path:
    """A copy of the toy data that a test may damage."""
    return Path(shutil.copytree(toy_data, tmp_path / "data"))


def no_networks(*_: object) -> None:
    raise AssertionError("a network was built")


def test_entries_are_the_posteriors_of_the_pair(toy_config: Compose) -> None:
    cfg = toy_config()
    build_cache(cfg)
    cache = open_cache(cfg)
    entry = cache.entry("toy-1")
    shape = latent_shape(TOY_FRAMES, TOY_HEIGHT, TOY_WIDTH)
    assert cache.variants == 1
    assert all(getattr(entry, name).shape == (1, *shape) for name in BY_VARIANT)
    assert all(getattr(entry, name).shape == shape for name in TENSORS if name not in (*BY_VARIANT, "text"))
    assert all(getattr(entry, name).dtype == torch.float32 for name in TENSORS)
    pair = read_pair(Path(cfg.data.root) / "pairs" / "toy-1")
    vae = build_vae(cfg.model)
    for name, video in (
        ("target", rgb_video(pair.rgb_removed_THWC)),
        ("input", rgb_video(pair.rgb_full_THWC)),
        ("mask", mask_video(pair.quadmask, cfg.recipe.mask_levels)),
    ):
        mean, logvar = encode_moments(vae, video)
        assert_same(getattr(entry, f"{name}_mean").squeeze(0), mean[0], TINY_VAE)
        assert_same(getattr(entry, f"{name}_logvar").squeeze(0), logvar[0], TINY_VAE)
    assert entry.text.shape == cache.null_text.shape == (cfg.model.max_text_tokens, 64)
    assert not torch.equal(entry.text, cache.null_text)
    assert [row.id for row in cache.rows] == ["toy-0", "toy-1", "toy-2", "toy-3"]


def test_a_finished_cache_is_recognised_without_a_network(toy_config: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = toy_config()
    built = build_cache(cfg)
    before = {path.name: path.stat().st_mtime_ns for path in built.folder.iterdir()}
    monkeypatch.setattr(encode, "Encoder", no_networks)
    again = build_cache(cfg)
    assert again.key == built.key
    assert {path.name: path.stat().st_mtime_ns for path in built.folder.iterdir()} == before


def test_another_shard_size_is_no_reason_to_encode_again(toy_config: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    build_cache(toy_config())
    monkeypatch.setattr(encode, "Encoder", no_networks)
    assert len(build_cache(toy_config("cache.pairs_per_shard=1")).rows) == 4


def test_only_one_process_writes_a_cache(toy_config: Compose) -> None:
    cfg = toy_config()
    folder = Path(cfg.cache.root) / content_key(ingredients(cfg, read_manifest(cfg.data.root)))
    with sole_writer(folder), pytest.raises(InputError, match="another process is writing"):
        build_cache(cfg)


def test_cutting_the_clip_shortens_the_latents(toy_data: Path, tmp_path: Path, toy_config: Compose) -> None:
    data = write_toy_data(tmp_path / "longer", train=1, val=1, frames=15)
    cfg = toy_config(f"data.root={data}", "data.frames=13")
    assert build_cache(cfg).entry("toy-0").target_mean.shape[0] == 4


@pytest.mark.parametrize(
    "override",
    [
        *("data.width=32", "recipe.mask_levels=trimask", "cache.dtype=float16"),
        *("model.init_seed=1", "model.dtype=bfloat16", "model.conditioning_noise=true"),
    ],
)
def test_every_ingredient_changes_the_key(toy_config: Compose, override: str) -> None:
    # With random weights, so that their seed counts.
    weights = ["model.vae_weights=null", "model.text_encoder_weights=null"]
    keys = []
    for overrides in (weights, [*weights, override]):
        cfg = toy_config(*overrides)
        keys.append(content_key(ingredients(cfg, read_manifest(cfg.data.root))))
    assert keys[0] != keys[1]


def test_the_key_depends_on_pairs_and_weights_but_not_on_shards(toy_config: Compose, tmp_path: Path) -> None:
    cfg = toy_config()
    rows = read_manifest(cfg.data.root)
    key = content_key(ingredients(cfg, rows))
    changed = dataclasses.replace(rows[0], checksums=rows[0].checksums | {RGB_FULL: "0" * 64})
    assert content_key(ingredients(cfg, [changed, *rows[1:]])) != key
    assert content_key(ingredients(cfg, [dataclasses.replace(rows[0], caption="other"), *rows[1:]])) != key
    assert content_key(ingredients(toy_config("cache.pairs_per_shard=1"), rows)) == key
    from safetensors.torch import save_file

    keys = []
    for value in (0.0, 1.0):
        save_file({"w": torch.full((2,), value)}, tmp_path / "vae.safetensors")
        keys.append(content_key(ingredients(toy_config(f"model.vae_weights={tmp_path}/vae.safetensors"), rows)))
    assert keys[0] != keys[1]


def test_released_levels_are_the_trimask_of_training_in_either_stage(toy_config: Compose) -> None:
    keys = set()
    for overrides in (["trimask"], ["released"], ["released", "stage.name=pass2"]):
        cfg = toy_config(f"recipe.mask_levels={overrides[0]}", *overrides[1:])
        keys.add(content_key(ingredients(cfg, read_manifest(cfg.data.root))))
    assert len(keys) == 1


def test_noise_variants_count_only_where_there_is_noise(toy_config: Compose) -> None:
    def key(*overrides: str) -> str:
        cfg = toy_config(*overrides)
        return content_key(ingredients(cfg, read_manifest(cfg.data.root)))

    noisy = "model.conditioning_noise=true"
    assert key("cache.noise_variants=2") == key("cache.noise_variants=3")
    assert key(noisy, "cache.noise_variants=2") != key(noisy, "cache.noise_variants=3")
    with pytest.raises(InputError, match=r"cache.noise_variants must be at least 1, got 0"):
        key(noisy, "cache.noise_variants=0")


def test_noise_variants_differ_in_the_input_alone_and_come_back_the_same(toy_config: Compose) -> None:
    clean = build_cache(toy_config()).entry("toy-1")
    noisy = ("model.conditioning_noise=true", "cache.noise_variants=3")
    cache = build_cache(toy_config(*noisy))
    entry = cache.entry("toy-1")
    assert cache.variants == 3 and entry.input_mean.shape == (3, *entry.target_mean.shape)
    for name in ("target_mean", "mask_mean", "target_logvar", "mask_logvar"):
        assert_same(getattr(entry, name), getattr(clean, name), TINY_VAE)
    offsets = entry.input_mean - clean.input_mean
    spreads = offsets.flatten(1).std(1)
    assert (spreads > 0.01).all() and spreads.max() > 1.05 * spreads.min()
    assert (torch.corrcoef(offsets.flatten(1)) - torch.eye(3)).abs().max() < 0.9
    single = cache.entry("toy-1", 2)
    assert torch.equal(single.input_mean, entry.input_mean[2:]) and torch.equal(single.mask_mean, entry.mask_mean)
    again = build_cache(toy_config(*noisy, "root=" + toy_config().root + "-again"))
    assert torch.equal(again.entry("toy-1").input_mean, entry.input_mean)


def test_a_cache_of_other_content_is_refused_saying_what_differs(toy_config: Compose) -> None:
    with pytest.raises(InputError, match="holds no latent cache") as absent:
        open_cache(toy_config())
    assert "void cache" in absent.value.remedy
    build_cache(toy_config())
    with pytest.raises(InputError, match="width is 32, was 48"):
        open_cache(toy_config("data.width=32"))
    cfg = toy_config()
    cfg.recipe.mask_levels = MaskLevels.binary
    with pytest.raises(InputError, match="mask_levels is binary, was quad"):
        open_cache(cfg)


def test_an_interrupted_cache_keeps_its_finished_shards(toy_config: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    cfg = toy_config("cache.pairs_per_shard=1")
    whole = build_cache(toy_config("cache.pairs_per_shard=1", "root=" + cfg.root + "-whole"))
    encoded: list[str] = []
    original = encode.Encoder.encode

    def stop_at_third(self: encode.Encoder, pair: object, caption: str, where: str) -> object:
        if len(encoded) == 2:
            raise KeyboardInterrupt
        encoded.append(where)
        return original(self, pair, caption, where)  # type: ignore[arg-type]

    monkeypatch.setattr(encode.Encoder, "encode", stop_at_third)
    with pytest.raises(KeyboardInterrupt):
        build_cache(cfg)
    with pytest.raises(InputError, match="is unfinished"):
        open_cache(cfg)
    monkeypatch.setattr(encode.Encoder, "encode", original)
    counted: list[str] = []
    monkeypatch.setattr(store, "_read", _counting(store._read, counted))
    cache = build_cache(cfg)
    assert counted == ["toy-2", "toy-3"]
    assert {path.name: path.read_bytes() for path in cache.folder.iterdir()} == {
        path.name: path.read_bytes() for path in whole.folder.iterdir()
    }


def _counting(read: Callable[..., object], counted: list[str]) -> Callable[..., object]:
    def counting(cfg: VoidConfig, row: object) -> object:
        counted.append(row.id)  # type: ignore[attr-defined]
        return read(cfg, row)

    return counting


def test_a_defective_pair_stops_the_command_by_default(toy_config: Compose, own_data: Path) -> None:
    (own_data / "pairs" / "toy-1" / RGB_FULL).write_bytes(b"not a video")
    with pytest.raises(InputError, match=r"1 defective pairs are more than cache.max_failures = 0; the last is toy-1"):
        build_cache(toy_config(f"data.root={own_data}"))


def test_a_defective_pair_within_the_budget_is_set_aside_and_tried_again(toy_config: Compose, own_data: Path) -> None:
    damaged = own_data / "pairs" / "toy-1" / RGB_FULL
    good = damaged.read_bytes()
    damaged.write_bytes(b"not a video")
    cfg = toy_config(f"data.root={own_data}", "cache.max_failures=1")
    cache = build_cache(cfg)
    assert list(cache.failures) == ["toy-1"]
    assert "rgb_full.mp4 has changed" in cache.failures["toy-1"]
    assert [row.id for row in open_cache(cfg).rows] == ["toy-0", "toy-2", "toy-3"]
    assert json.loads((cache.folder / store.INDEX).read_text())["failures"] == cache.failures
    assert list(build_cache(cfg).failures) == ["toy-1"]
    damaged.write_bytes(good)
    assert build_cache(cfg).failures == {}
    assert len(open_cache(cfg).rows) == 4


def test_a_pair_that_is_not_the_manifests_is_refused(toy_config: Compose, own_data: Path) -> None:
    write_pair(own_data / "pairs" / "toy-0", dataclasses.replace(toy_pair(0), rgb_full_THWC=toy_pair(9).rgb_full_THWC))
    with pytest.raises(InputError, match="not the pair its manifest row describes"):
        build_cache(toy_config(f"data.root={own_data}"))


def test_short_pairs_and_illegal_geometry_are_refused(toy_config: Compose) -> None:
    with pytest.raises(InputError, match=r"toy-0 has 5 frames, fewer than data.frames = 13"):
        build_cache(toy_config("data.frames=13"))
    with pytest.raises(InputError, match=r"data.frames = 9 is not a legal frame count"):
        build_cache(toy_config("data.frames=9"))
    with pytest.raises(InputError, match=r"data.height must be a positive multiple of 16, got 40"):
        build_cache(toy_config("data.height=40"))


def test_smaller_numbers_on_disk_come_back_as_float32(toy_config: Compose) -> None:
    full, half = build_cache(toy_config()), build_cache(toy_config("cache.dtype=bfloat16"))
    assert full.key != half.key
    entry = half.entry("toy-0")
    assert entry.target_mean.dtype == torch.float32
    # bfloat16 keeps 8 bits of each value.
    torch.testing.assert_close(entry.target_mean, full.entry("toy-0").target_mean, rtol=2**-8, atol=1e-5)


def test_a_killed_cache_continues(toy_data: Path, tmp_path: Path, toy_config: Compose) -> None:
    overrides = [*toy_overrides(toy_data, tmp_path / "run"), "cache.pairs_per_shard=1"]
    # Room to be killed in: each pair takes half a second longer.
    slowly = (
        "import sys, time; from void.cache import encode, store; from void.composition import compose_config\n"
        "read = store._read; store._read = lambda *a: (time.sleep(0.5), read(*a))[1]\n"
        "store.build_cache(compose_config(sys.argv[1:]))"
    )
    process = subprocess.Popen([sys.executable, "-c", slowly, *overrides], env=os.environ | {"OMP_NUM_THREADS": "1"})
    while not list((tmp_path / "run" / "cache").glob("*/shard-00000-*")):
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.02)
    process.kill()
    process.wait()
    cfg = toy_config("cache.pairs_per_shard=1")
    folder = next((tmp_path / "run" / "cache").iterdir())
    assert not (folder / store.INDEX).exists()
    first = next(folder.glob("shard-00000-*"))
    written = first.stat().st_mtime_ns
    cache = build_cache(cfg)
    assert first.stat().st_mtime_ns == written
    assert len(cache.rows) == 4
    assert all(np.isfinite(cache.entry(row.id).target_mean.numpy()).all() for row in cache.rows)
    assert not list(folder.glob(f".*{PARTIAL_MARK}*"))
