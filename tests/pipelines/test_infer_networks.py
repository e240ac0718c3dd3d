"""One peak for any stage: which networks are alive when another one is built."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pipelines.user_clips import write_clip
from torch import nn

from void.config import VoidConfig
from void.pipelines import networks
from void.pipelines.infer import infer

SMALL = (
    "model.vae.block_out_channels=[4,4,4,4]",
    "model.vae.norm_num_groups=2",
    "model.vae_weights=null",
    "infer.checkpoint=none",
    "infer.pass2.checkpoint=none",
    "infer.steps=1",
    "infer.window=21",
    "infer.overlap=8",
    "noise.canvas=8",
    "data.height=32",
    "data.width=48",
)


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, set[str]]]:
    """Each network that is built, with those that are alive as its building begins."""
    seen: list[tuple[str, set[str]]] = []
    alive: list[tuple[str, weakref.ref[nn.Module]]] = []

    def counted(name: str, build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
        def wrapped(*arguments: Any, **options: Any) -> nn.Module:
            seen.append((name, {other for other, reference in alive if reference() is not None}))
            network = build(*arguments, **options)
            alive.append((name, weakref.ref(network)))
            return network

        return wrapped

    monkeypatch.setattr(networks, "build_text_encoder", counted("text encoder", networks.build_text_encoder))
    monkeypatch.setattr(networks, "build_vae", counted("VAE", networks.build_vae))
    monkeypatch.setattr(networks.weights, "load", counted("transformer", networks.weights.load))
    return seen


@pytest.mark.parametrize("stage", ["pass1", "both", "auto"])
def test_no_two_large_networks_are_alive_together(
    tmp_path: Path, toy_config: Callable[..., VoidConfig], built: list[tuple[str, set[str]]], stage: str
) -> None:
    for name in ("a", "b"):
        write_clip(tmp_path / "in" / name)
    # Whatever is freed has to be freed by the run itself.
    gc.disable()
    try:
        infer(
            toy_config(*SMALL, f"infer.input={tmp_path / 'in'}", f"stage={stage}", "infer.pass2.morphing_threshold=0")
        )
    finally:
        gc.enable()
    names = [name for name, _ in built]
    assert names.count("text encoder") == 1 and names.count("VAE") == 1
    assert names.count("transformer") == (1 if stage == "pass1" else 2)
    assert all("text encoder" not in others for _, others in built)
    assert all("transformer" not in others for name, others in built if name == "transformer")
