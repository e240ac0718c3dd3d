"""`void doctor` names what is missing and the one command that mends it."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from void import doctor
from void.composition import compose_config


def test_this_machine_passes() -> None:
    checks = [doctor.check_python(), doctor.check_system_libraries(), doctor.check_packages(), doctor.check_kubric()]
    checks += [doctor.check_device(), doctor.check_blender()]
    assert [check.name for check in checks if check.remedy] == []


def test_missing_libraries_come_with_one_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    absent = {"libXi.so.6", "libSM.so.6"}
    monkeypatch.setattr(doctor, "_loads", lambda library: library not in absent)
    check = doctor.check_system_libraries()
    assert check.remedy == "sudo apt-get install -y libxi6 libsm6"
    assert "libXi.so.6" in check.found


def test_a_missing_and_a_wrong_package_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "einops":
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.0.1" if name == "numpy" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    check = doctor.check_packages()
    assert "einops is missing" in check.found
    assert "numpy is 0.0.1, not ==" in check.found
    assert check.remedy == "make setup"


def test_missing_kubric_names_its_own_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert doctor.check_kubric().remedy == "make kubric"


def test_a_full_disk_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "MIN_FREE_GIB", 1e9)
    disk = doctor.check_machine(tmp_path / "not" / "yet" / "there")[0]
    assert disk.remedy is not None
    assert str(tmp_path) in disk.found


def test_the_full_size_model_shows_how_to_get_its_weights() -> None:
    checks = doctor.check_weights(compose_config(["model=cogvideox_fun_5b"]))
    missing = [check for check in checks if check.remedy]
    assert missing
    assert all("hf download" in (check.remedy or "") for check in missing)


def full_size(root: Path, *overrides: str) -> dict[str, doctor.Check]:
    roots = [f"model.weights_root={root}", f"model.released_root={root}"]
    config = compose_config(["model=cogvideox_fun_5b", *roots, *overrides])
    return {check.name: check for check in doctor.check_weights(config)}


def write_transformer(file: Path, channels: int) -> None:
    file.parent.mkdir(exist_ok=True)
    save_file({"patch_embed.proj.weight": torch.zeros(4, 8 * channels)}, file)


def test_the_released_fine_tunes_are_offered_and_not_demanded(tmp_path: Path) -> None:
    checks = full_size(tmp_path)
    for stage in ("pass1", "pass2"):
        check = checks[f"released {stage}"]
        assert check.optional
        command = f"hf download netflix/void-model void_{stage}.safetensors --local-dir {tmp_path}"
        assert check.remedy is not None and check.remedy.endswith(command)
    base = checks["model.transformer_weights"]
    assert not base.optional
    assert base.remedy is not None
    assert base.remedy.endswith(f"hf download alibaba-pai/CogVideoX-Fun-V1.5-5b-InP --local-dir {tmp_path}")


def test_present_weights_are_described_by_their_channels_and_the_rule(tmp_path: Path) -> None:
    write_transformer(tmp_path / "transformer" / "model.safetensors", 33)
    write_transformer(tmp_path / "void_pass1.safetensors", 48)
    for rule in ("mean", "replicate"):
        checks = full_size(tmp_path, f"recipe.mask_expansion={rule}")
        base, released = checks["model.transformer_weights"], checks["released pass1"]
        assert base.remedy is None and released.remedy is None
        assert f"33 input channels, expanded to 48 by recipe.mask_expansion={rule}" in base.found
        assert "48 input channels" in released.found
        assert f"infer.checkpoint={tmp_path / 'void_pass1.safetensors'}" in released.found


def test_weights_that_cannot_be_used_are_no_good_news(tmp_path: Path) -> None:
    write_transformer(tmp_path / "transformer" / "model.safetensors", 36)
    write_transformer(tmp_path / "void_pass1.safetensors", 48)
    file = tmp_path / "void_pass1.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / "weights.bin").touch()
    checks = full_size(tmp_path)
    assert "36 input channels" in checks["model.transformer_weights"].found
    assert "pickles are not read" in (checks["model.vae_weights"].remedy or "")
    assert "download" in (checks["released pass1"].remedy or "")


def test_the_tiny_model_needs_nothing() -> None:
    assert [check.found for check in doctor.check_weights(compose_config(["model=tiny"])) if check.remedy] == []


def test_the_gate_installs_the_libraries_that_doctor_names() -> None:
    gate = (Path(__file__).resolve().parents[1] / ".ci" / "run").read_text()
    assert [package for package in doctor.BLENDER_LIBRARIES.values() if package not in gate] == []
