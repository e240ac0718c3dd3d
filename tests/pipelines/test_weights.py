"""Which transformer is chosen, and what identifies it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from golden_models import GOLDEN, model_config
from safetensors.torch import load_file, save_file

from void.composition import compose_config
from void.config import VoidConfig
from void.errors import InputError
from void.files import write_json
from void.models.build import build_transformer, fingerprint
from void.models.expansion import PATCH_EMBEDDING
from void.pipelines import weights
from void.recipe import MaskExpansion

RELEASED = GOLDEN / "transformer.safetensors"


CONFIG = compose_config([])


def configured(checkpoint: str | Path, rule: MaskExpansion = MaskExpansion.mean, **model: object) -> VoidConfig:
    return dataclasses.replace(
        CONFIG,
        infer=dataclasses.replace(CONFIG.infer, checkpoint=str(checkpoint)),
        recipe=dataclasses.replace(CONFIG.recipe, mask_expansion=rule),
        model=dataclasses.replace(model_config(), **model),
    )


def sha256(checkpoint: str | Path, rule: MaskExpansion = MaskExpansion.mean, **model: object) -> str:
    return weights.choose(configured(checkpoint, rule, **model)).sha256


@pytest.fixture
def base_file(tmp_path: Path) -> Path:
    tensors = load_file(RELEASED)
    tensors[PATCH_EMBEDDING] = tensors[PATCH_EMBEDDING][:, :264].contiguous()
    save_file(tensors, tmp_path / "base.safetensors")
    return tmp_path / "base.safetensors"


@pytest.fixture
def base_folder(base_file: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "base" / "transformer"
    folder.mkdir(parents=True)
    base_file.rename(folder / base_file.name)
    write_json(folder / "config.json", model_config().transformer | {"in_channels": 33})
    return folder.parent


def test_a_released_file_is_chosen_by_its_name_and_known_by_its_bytes(tmp_path: Path) -> None:
    config = configured(RELEASED)
    chosen = weights.choose(config)
    assert chosen.record() == {"path": str(RELEASED), "step": None, "sha256": chosen.sha256}
    transformer = weights.load(config, chosen)
    assert fingerprint(transformer) == fingerprint(build_transformer(config.model)) and not transformer.training
    copy = tmp_path / "void_pass1.safetensors"
    copy.write_bytes(RELEASED.read_bytes())
    assert sha256(copy) == chosen.sha256
    copy.write_bytes(RELEASED.read_bytes()[:-4] + bytes(4))
    assert sha256(copy) != chosen.sha256
    other = config.model.transformer | {"sample_frames": 5}
    assert sha256(RELEASED, transformer=other) != chosen.sha256


def test_the_rule_counts_where_it_is_applied_and_only_there(base_file: Path) -> None:
    rules = list(MaskExpansion)
    assert len({sha256(base_file, rule) for rule in rules}) == len(rules)
    assert len({sha256("none", rule, transformer_weights=str(base_file)) for rule in rules}) == len(rules)
    assert len({sha256(RELEASED, rule) for rule in rules}) == 1
    assert len({sha256("none", rule) for rule in rules}) == 1


def test_the_rule_counts_for_a_folder_too(base_folder: Path) -> None:
    assert sha256(base_folder, MaskExpansion.mean) != sha256(base_folder, MaskExpansion.zero)


@pytest.mark.parametrize("rule", MaskExpansion)
def test_the_recipe_says_how_the_base_is_expanded(rule: MaskExpansion, base_folder: Path) -> None:
    config = configured(base_folder, rule)
    narrow = load_file(base_folder / "transformer" / "base.safetensors")[PATCH_EMBEDDING]
    held = weights.load(config, weights.choose(config)).state_dict()[PATCH_EMBEDDING]
    scale = {"replicate": 1.0, "mean": 1 / 16, "zero": 0.0}[rule.value]
    assert torch.equal(held[:, 128:136], narrow[:, 128:136] * scale)


def test_weights_take_the_type_of_the_model() -> None:
    config = configured(RELEASED, dtype="bfloat16")
    assert weights.load(config, weights.choose(config)).dtype == torch.bfloat16
    with pytest.raises(InputError, match="float8"):
        bad = configured(RELEASED, dtype="float8")
        weights.load(bad, weights.choose(bad))


def test_what_is_no_transformer_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    save_file({"transformer_blocks.0.attn1.to_q.lora_A.weight": torch.zeros(4, 32)}, tmp_path / "lora.safetensors")
    (tmp_path / "weights.ckpt").write_bytes(b"PK\x03\x04")
    (tmp_path / "empty").mkdir()
    expected = {
        "lora.safetensors": "infer.lora",
        "weights.ckpt": "pickles are not read",
        "empty": "config.json does not exist",
        "absent.safetensors": "does not exist",
    }
    for name, message in expected.items():
        with pytest.raises(InputError, match=message):
            weights.choose(configured(tmp_path / name))
    with pytest.raises(InputError, match="holds a VAE"):
        weights.choose(configured(GOLDEN / "vae.safetensors"))


def test_a_released_file_that_is_missing_comes_with_its_download() -> None:
    config = compose_config(["model=cogvideox_fun_5b", "infer.checkpoint=no-such/void_pass1.safetensors"])
    with pytest.raises(InputError) as caught:
        weights.choose(config)
    assert caught.value.remedy.startswith("download it: hf download ")
    assert caught.value.remedy.endswith(" void_pass1.safetensors --local-dir no-such")


def test_the_key_that_was_given_is_named() -> None:
    config = compose_config(["export.checkpoint=no-such"])
    with pytest.raises(InputError, match=r"export\.checkpoint=no-such does not exist"):
        weights.choose(config, "export.checkpoint")
