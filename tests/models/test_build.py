"""The builder: full-size shapes, determinism, and strict loading."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from golden_models import GOLDEN, model_config, settings
from safetensors.torch import load_file, save_file

from void.composition import compose_config
from void.errors import InputError
from void.models.build import (
    build_scheduler,
    build_text_encoder,
    build_tokenizer,
    build_transformer,
    build_vae,
    fingerprint,
)


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def shapes(module: torch.nn.Module) -> dict[str, list[int]]:
    return {name: list(tensor.shape) for name, tensor in module.state_dict().items()}


def test_full_size_model_has_the_released_keys_and_shapes() -> None:
    model = compose_config(["model=cogvideox_fun_5b"]).model
    released = settings("state_dict_5b")
    transformer, vae = build_transformer(model, meta=True), build_vae(model, meta=True)
    assert shapes(transformer) == released["transformer"] and len(released["transformer"]) == 1024
    assert shapes(vae) == released["vae"]
    assert parameters(transformer) == 5_571_462_784
    assert parameters(vae) == 215_583_907
    assert parameters(build_text_encoder(model, meta=True)) == 4_762_310_656
    assert transformer.config.in_channels == 48 and vae.config.scaling_factor == 0.7
    base = dataclasses.replace(model, transformer=model.transformer | {"in_channels": 33})
    assert parameters(build_transformer(base, meta=True)) == 5_571_094_144


def test_full_size_model_without_its_files_says_how_to_get_them() -> None:
    model = compose_config(["model=cogvideox_fun_5b", "model.weights_root=models/absent"]).model
    for build in (build_transformer, build_vae, build_text_encoder, build_tokenizer):
        with pytest.raises(InputError, match=r"hf download alibaba-pai/\S+ --local-dir models/absent"):
            build(model)


def test_both_models_share_schedule_and_classes() -> None:
    tiny, full = (compose_config([f"model={name}"]).model for name in ("tiny", "cogvideox_fun_5b"))
    assert build_scheduler(tiny).config == build_scheduler(full).config
    assert type(build_transformer(tiny, meta=True)) is type(build_transformer(full, meta=True))
    assert set(tiny.transformer) <= set(full.transformer)
    assert tiny.vae["scaling_factor"] == full.vae["scaling_factor"]


def test_random_weights_depend_on_the_seed_alone() -> None:
    model = dataclasses.replace(compose_config(["model=tiny"]).model, vae_weights=None)
    other = dataclasses.replace(model, init_seed=1)
    torch.manual_seed(7)
    expected = torch.rand(3)
    for build in (build_transformer, build_vae, build_text_encoder):
        torch.manual_seed(7)
        first = fingerprint(build(model))
        assert torch.equal(torch.rand(3), expected)
        assert fingerprint(build(model)) == first
        assert fingerprint(build(other)) != first


def test_frozen_networks_take_the_configured_type() -> None:
    model = dataclasses.replace(model_config(), dtype="bfloat16")
    assert build_vae(model).dtype == torch.bfloat16
    assert not any(parameter.requires_grad for parameter in build_vae(model).parameters())
    assert build_transformer(model).dtype == torch.float32
    with pytest.raises(InputError, match="float16"):
        build_vae(dataclasses.replace(model, dtype="float16"))


def test_fingerprint_sees_one_changed_value() -> None:
    vae = build_vae(model_config())
    before = fingerprint(vae)
    vae.decoder.conv_out.conv.bias[0] += 1e-6
    assert fingerprint(vae) != before


def test_weights_that_do_not_fit_are_listed(tmp_path) -> None:
    weights = load_file(GOLDEN / "transformer.safetensors")
    weights["patch_embed.proj.weight"] = weights["patch_embed.proj.weight"][:, :264].contiguous()
    del weights["norm_final.bias"]
    weights["ofs.weight"] = torch.zeros(1)
    save_file(weights, tmp_path / "w.safetensors")
    model = dataclasses.replace(model_config(), transformer_weights=str(tmp_path / "w.safetensors"))
    with pytest.raises(InputError) as error:
        build_transformer(model)
    message = str(error.value)
    assert "1 missing (norm_final.bias)" in message and "1 unexpected (ofs.weight)" in message
    assert "patch_embed.proj.weight is (32, 264), expected (32, 384)" in message


def test_folders_of_shards_load_and_a_lost_shard_is_named(tmp_path) -> None:
    vae = build_vae(model_config())
    vae.save_pretrained(tmp_path, max_shard_size="200KB")
    shards = sorted(tmp_path.glob("*.safetensors"))
    assert len(shards) > 2
    model = dataclasses.replace(model_config(), vae_weights=str(tmp_path))
    assert fingerprint(build_vae(model)) == fingerprint(vae)
    shards[1].unlink()
    with pytest.raises(InputError, match=shards[1].name):
        build_vae(model)


@pytest.mark.parametrize("name", ["weights.bin", "weights.ckpt"])
def test_pickles_are_refused(tmp_path, name: str) -> None:
    torch.save(build_vae(model_config()).state_dict(), tmp_path / name)
    for location in (tmp_path, tmp_path / name):
        with pytest.raises(InputError, match="pickles are not read"):
            build_vae(dataclasses.replace(model_config(), vae_weights=str(location)))


def test_corrupt_and_unshipped_weights(tmp_path) -> None:
    (tmp_path / "w.safetensors").write_bytes(b"\x08\0\0\0\0\0\0\0not json")
    with pytest.raises(InputError, match="cannot be read"):
        build_vae(dataclasses.replace(model_config(), vae_weights=str(tmp_path / "w.safetensors")))
    with pytest.raises(InputError, match="not shipped"):
        build_vae(dataclasses.replace(model_config(), vae_weights="package:other.safetensors"))


def test_text_encoder_folder_must_fit(tmp_path) -> None:
    model = model_config()
    encoder = build_text_encoder(model)
    encoder.save_pretrained(tmp_path)
    there = dataclasses.replace(model, text_encoder_weights=str(tmp_path))
    assert fingerprint(build_text_encoder(there)) == fingerprint(encoder)
    deeper = dataclasses.replace(there, text_encoder={**model.text_encoder, "num_layers": 2})
    with pytest.raises(InputError, match="missing_keys"):
        build_text_encoder(deeper)
