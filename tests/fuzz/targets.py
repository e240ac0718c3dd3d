"""Inputs that are broken, one file each, and the command or reader that gets them."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import trimesh
from human.blender_files import write_with_blender
from human.bvh_files import write_bvh
from human.tiny_motion import carry
from pipelines.user_clips import write_clip
from safetensors.torch import save_file
from toy import TOY_FRAMES, toy_overrides, toy_pair, write_toy_data

from data_gen.human.config import HumanConfig
from data_gen.human.sources import open_source
from void.cli import main
from void.layers import AMODAL
from void.pairs import Pair, pair_row, write_manifest, write_pair

TINY = (
    "model.vae.block_out_channels=[4,4,4,4]",
    "model.vae.norm_num_groups=2",
    "model.vae_weights=null",
    "infer.checkpoint=none",
    "infer.steps=1",
    "infer.window=21",
    "infer.overlap=8",
)


@dataclass(frozen=True)
class Target:
    """One kind of input.

    Args:
        cases: Share of all cases, in numbers of 300.
        files: Patterns of the files that are broken, relative to the folder of inputs.
        build: Function that makes the inputs in an empty folder.
        run: Function that gives the inputs to a command; its arguments are the folder of inputs and that of outputs.
    """

    cases: int
    files: tuple[str, ...]
    build: Callable[[Path], None]
    run: Callable[[Path, Path], None]


def command(name: str, *overrides: str) -> None:
    """Run `void NAME` in this process; its exit status is the `SystemExit` that goes through."""
    sys.argv = ["void", name, *overrides]
    main()


def _base(inputs: Path, out: Path) -> list[str]:
    return [*toy_overrides(inputs / "data", out), *TINY]


def _clip(inputs: Path) -> None:
    write_clip(inputs / "in" / "clip", TOY_FRAMES)


def _infer(inputs: Path, out: Path) -> None:
    command("infer", *_base(inputs, out), f"infer.input={inputs / 'in' / 'clip'}")


def _data(inputs: Path) -> None:
    write_toy_data(inputs / "data", train=2)


def _layered_data(inputs: Path) -> None:
    root = inputs / "data"
    rows = []
    for number in range(2):
        pair = toy_pair(number)
        layers = {AMODAL: {"removed": pair.quadmask.primary_THW}}
        folder = root / "pairs" / f"toy-{number}"
        write_pair(folder, Pair(pair.rgb_full_THWC, pair.rgb_removed_THWC, pair.quadmask, 12.0, pair.metadata, layers))
        rows.append(pair_row(root, folder, split="train" if number else "val"))
    write_manifest(root, rows)


def _doctor(inputs: Path, out: Path) -> None:
    command("doctor", f"data={inputs / 'data'}", f"root={out}")


def _cache(inputs: Path, out: Path) -> None:
    command("cache", *_base(inputs, out))


def _cached(inputs: Path) -> None:
    _data(inputs)
    _quietly(lambda: command("cache", *_base(inputs, inputs / "run")))
    shutil.rmtree(inputs / "run" / "logs", ignore_errors=True)


def _train(inputs: Path, out: Path) -> None:
    short = ("training.steps=1", "training.validate_every=0", f"cache.root={inputs / 'run' / 'cache'}")
    command("train", *_base(inputs, out), *short)


def _weights(inputs: Path) -> None:
    _clip(inputs)
    name = "transformer.transformer_blocks.0.attn1.to_q"
    pair = {f"{name}.lora_A.weight": torch.zeros(2, 128), f"{name}.lora_B.weight": torch.zeros(128, 2)}
    (inputs / "lora").mkdir()
    save_file(pair, inputs / "lora" / "style.safetensors")


def _with_lora(inputs: Path, out: Path) -> None:
    lora = f"infer.lora={inputs / 'lora' / 'style.safetensors'}"
    command("infer", *_base(inputs, out), f"infer.input={inputs / 'in' / 'clip'}", lora)


def _bvh(inputs: Path) -> None:
    (inputs / "motions").mkdir()
    write_bvh(inputs / "motions" / "carry.bvh", carry())
    trimesh.creation.box((0.1, 0.2, 0.06)).export(inputs / "book.obj")


def _read_bvh(inputs: Path, out: Path) -> None:
    config = HumanConfig(root=str(inputs / "motions"), bvh_object=str(inputs / "book.obj"), bvh_joint="RightHand")
    motion = open_source("bvh", config, out).read("carry")
    assert np.isfinite(motion.joints_TJ7).all()


def _glb(inputs: Path) -> None:
    (inputs / "motions").mkdir()
    write_with_blender(inputs / "motions" / "carry_mug.glb", carry())


def _read_glb(inputs: Path, out: Path) -> None:
    motion = open_source("humoto_glb", HumanConfig(root=str(inputs / "motions")), out).read("carry_mug")
    assert np.isfinite(motion.joints_TJ7).all()


def _quietly(run: Callable[[], None]) -> None:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        run()


TARGETS: dict[str, Target] = {
    "clip (infer)": Target(45, ("in/clip/input_video.mp4",), _clip, _infer),
    "mask (infer)": Target(40, ("in/clip/quadmask_0.mp4",), _clip, _infer),
    "prompt.json (infer)": Target(25, ("in/clip/prompt.json",), _clip, _infer),
    "LoRA (infer)": Target(25, ("lora/style.safetensors",), _weights, _with_lora),
    "manifest.jsonl (cache)": Target(30, ("data/manifest.jsonl",), _data, _cache),
    "pair's videos and metadata.json (cache)": Target(30, ("data/pairs/toy-1/*.*",), _data, _cache),
    "pair's layer .npz (doctor)": Target(25, ("data/pairs/toy-1/amodal.npz",), _layered_data, _doctor),
    "pair's videos and metadata.json (doctor)": Target(
        20, ("data/pairs/toy-1/*.*", "data/manifest.jsonl"), _data, _doctor
    ),
    "cache (train)": Target(25, ("run/cache/*/*.safetensors", "run/cache/*/index.json"), _cached, _train),
    "BVH and OBJ (generate's reader)": Target(25, ("motions/carry.bvh", "book.obj"), _bvh, _read_bvh),
    "glTF (generate's reader)": Target(10, ("motions/carry_mug.glb",), _glb, _read_glb),
}
