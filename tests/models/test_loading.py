"""One strict loader for the base model, fine-tunes of it, the released files and our own checkpoints."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path

import pytest
import torch
from golden_models import GOLDEN, model_config
from safetensors.torch import load_file, save_file
from torch import Tensor

from void.errors import InputError
from void.files import write_json
from void.models.build import build_text_encoder, build_transformer, build_vae, fingerprint
from void.models.checkpoints import load_transformer
from void.models.comfyui import to_comfyui
from void.models.expansion import PATCH_EMBEDDING, expand_patch_embed
from void.models.loading import load_strict, needs_expansion
from void.models.weights import safetensors_files
from void.recipe import MaskExpansion

WEIGHTS = GOLDEN / "transformer.safetensors"
MODEL = model_config()


def weights() -> dict[str, Tensor]:
    return load_file(WEIGHTS)


def base_weights() -> dict[str, Tensor]:
    """Like the golden transformer, but with 33 input channels."""
    generator = torch.Generator().manual_seed(0)
    return weights() | {PATCH_EMBEDDING: torch.randn(32, 264, generator=generator)}


def save(tensors: dict[str, Tensor], file: Path) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    return file


def base_folder(root: Path) -> Path:
    """As the base model's download: two shards, and a config.json with a key that diffusers does not know."""
    folder = root / "base" / "transformer"
    folder.mkdir(parents=True)
    tensors = base_weights()
    names = sorted(tensors)
    index = {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        shard = save({name: tensors[name] for name in part}, folder / f"model-0000{number}-of-00002.safetensors")
        index |= dict.fromkeys(part, shard.name)
    write_json(folder / "diffusion_pytorch_model.safetensors.index.json", {"weight_map": index})
    config = MODEL.transformer | {"in_channels": 33, "add_noise_in_inpaint_model": True, "_class_name": "Other"}
    write_json(folder / "config.json", config)
    return folder


def expanded(rule: MaskExpansion) -> dict[str, Tensor]:
    tensors = base_weights()
    return tensors | {PATCH_EMBEDDING: expand_patch_embed(tensors[PATCH_EMBEDDING], rule)}


def assert_holds(transformer: torch.nn.Module, tensors: dict[str, Tensor]) -> None:
    held = transformer.state_dict()
    assert held.keys() == tensors.keys()
    assert [name for name, tensor in tensors.items() if not torch.equal(held[name], tensor)] == []


@pytest.mark.parametrize("rule", MaskExpansion)
def test_the_base_folder_is_expanded_by_the_rule(rule: MaskExpansion, tmp_path: Path, caplog) -> None:
    folder = base_folder(tmp_path)
    assert needs_expansion(folder)
    model = dataclasses.replace(MODEL, transformer_weights=str(folder))
    with caplog.at_level(logging.INFO):
        built = build_transformer(model, expansion=rule)
    assert f"33 input channels become 48 by rule {rule.value}" in caplog.text
    loaded = load_transformer(folder.parent, expansion=rule)
    for transformer in (built, loaded):
        assert transformer.config.in_channels == 48
        assert_holds(transformer, expanded(rule))


def test_without_a_rule_33_channels_are_refused(tmp_path: Path) -> None:
    folder = base_folder(tmp_path)
    with pytest.raises(InputError, match=r"patch_embed.proj.weight is \(32, 264\), expected \(32, 384\)"):
        build_transformer(dataclasses.replace(MODEL, transformer_weights=str(folder)))


def test_a_fine_tune_of_33_channels_in_one_file(tmp_path: Path) -> None:
    file = save(base_weights(), tmp_path / "casper.safetensors")
    assert_holds(load_transformer(file, MODEL, expansion=MaskExpansion.mean), expanded(MaskExpansion.mean))
    model = dataclasses.replace(MODEL, transformer_weights=str(file))
    assert_holds(build_transformer(model, expansion=MaskExpansion.mean), expanded(MaskExpansion.mean))


def test_part_of_a_fine_tune_is_refused(tmp_path: Path) -> None:
    part = {name: tensor for name, tensor in base_weights().items() if not name.startswith("norm_")}
    with pytest.raises(InputError, match=r"6 missing \(norm_final.weight"):
        load_transformer(save(part, tmp_path / "part.safetensors"), MODEL, expansion=MaskExpansion.mean)


@pytest.mark.parametrize("expansion", [None, *MaskExpansion])
def test_a_released_file_is_taken_as_it_is(expansion: MaskExpansion | None, tmp_path: Path) -> None:
    file = save(weights(), tmp_path / "void_pass1.safetensors")
    assert not needs_expansion(file)
    assert_holds(load_transformer(file, MODEL, expansion=expansion), weights())


def test_our_own_checkpoint_has_its_architecture_with_it(tmp_path: Path) -> None:
    other = dataclasses.replace(
        MODEL, transformer=MODEL.transformer | {"num_layers": 1}, transformer_weights=None, init_seed=3
    )
    transformer = build_transformer(other)
    transformer.save_pretrained(tmp_path / "transformer")
    assert fingerprint(load_transformer(tmp_path, MODEL)) == fingerprint(transformer)


def test_a_file_with_the_names_of_comfyui(tmp_path: Path) -> None:
    renamed = {to_comfyui(name): tensor for name, tensor in base_weights().items()}
    file = save(renamed, tmp_path / "comfyui.safetensors")
    assert_holds(load_transformer(file, MODEL, expansion=MaskExpansion.zero), expanded(MaskExpansion.zero))


def test_weights_come_in_the_wanted_type_ready_to_train(tmp_path: Path) -> None:
    transformer = load_transformer(WEIGHTS, MODEL, dtype=torch.bfloat16)
    assert {tensor.dtype for tensor in transformer.state_dict().values()} == {torch.bfloat16}
    assert all(parameter.requires_grad for parameter in transformer.parameters())
    assert build_transformer(MODEL, dtype=torch.bfloat16).dtype == torch.bfloat16
    assert load_transformer(WEIGHTS, MODEL).dtype == torch.float32


def test_a_single_file_needs_an_architecture(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not say its architecture"):
        load_transformer(WEIGHTS)


# ---------------------------------------------------------------------- what is refused


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as error:
        load_transformer(path, MODEL, expansion=MaskExpansion.mean)
    assert str(path) in error.value.problem
    return error.value


@pytest.mark.parametrize("channels", [16, 32, 36, 49])
def test_another_width(channels: int, tmp_path: Path) -> None:
    wrong = weights() | {PATCH_EMBEDDING: torch.zeros(32, 8 * channels)}
    error = refused(save(wrong, tmp_path / "wide.safetensors"))
    assert f"{channels} input channels" in error.problem
    assert "48" in error.remedy and "33" in error.remedy


def test_a_truncated_file(tmp_path: Path) -> None:
    file = tmp_path / "cut.safetensors"
    file.write_bytes(WEIGHTS.read_bytes()[:-100])
    error = refused(file)
    assert "cannot be read" in error.problem and "truncated" in error.remedy


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", ["weights.bin", "weights.pt", "weights.ckpt", "renamed.safetensors"])
def test_a_pickle_whatever_its_name(name: str, zipped: bool, tmp_path: Path) -> None:
    torch.save(weights(), tmp_path / name, _use_new_zipfile_serialization=zipped)
    assert "pickles are not read" in refused(tmp_path / name).remedy


def test_a_header_length_that_looks_like_a_pickle_is_none(tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    for padding in range(0, 512, 8):
        save_file(weights(), file, metadata={"padding": "x" * padding})
        if file.read_bytes()[:1] == b"\x80":
            break
    assert file.read_bytes()[:1] == b"\x80"
    assert_holds(load_transformer(file, MODEL), weights())


def test_a_lora(tmp_path: Path) -> None:
    layer = "transformer.transformer_blocks.0.attn1.to_q"
    lora = {f"{layer}.lora_A.weight": torch.zeros(4, 32), f"{layer}.lora_B.weight": torch.zeros(32, 4)}
    file = save(lora, tmp_path / "lora.safetensors")
    assert f"infer.lora={file}" in refused(file).remedy


def test_a_vae_for_a_transformer_and_the_other_way_round() -> None:
    assert "holds a VAE, not a transformer" in refused(GOLDEN / "vae.safetensors").problem
    with pytest.raises(InputError, match="holds a transformer, not a VAE"):
        load_strict(build_vae(MODEL, meta=True), WEIGHTS)


def test_a_text_encoder_for_a_transformer(tmp_path: Path) -> None:
    build_text_encoder(MODEL).save_pretrained(tmp_path)
    assert "holds a text encoder, not a transformer" in refused(tmp_path / "model.safetensors").problem


def test_a_lost_shard(tmp_path: Path) -> None:
    folder = base_folder(tmp_path)
    (folder / "model-00002-of-00002.safetensors").unlink()
    assert "model-00002-of-00002.safetensors" in refused(folder).problem


def test_the_case_of_a_suffix_says_nothing(tmp_path: Path) -> None:
    file = save(weights(), tmp_path / "MODEL.SAFETENSORS")
    (tmp_path / "OLD.CKPT").write_bytes(b"PK")
    assert safetensors_files(file) == safetensors_files(tmp_path) == [file]
    file.unlink()
    with pytest.raises(InputError, match="only as pickles"):
        safetensors_files(tmp_path)
