"""The `void export` command."""

from __future__ import annotations

from void.command import Command
from void.config import VoidConfig
from void.errors import InputError
from void.recipe import Stage


def _run(config: VoidConfig) -> None:
    from void.export.export import export

    export(config)


def check_stage(config: VoidConfig) -> None:
    """Raise InputError for a stage of two passes: a checkpoint is of one."""
    stage = config.stage.name
    if stage not in (Stage.pass1, Stage.pass2):
        raise InputError(f"stage={stage.value}: a checkpoint is of one pass", "export stage=pass1, then stage=pass2")


EXPORT = Command(
    name="export",
    summary="write a checkpoint or a LoRA with the names that other programs read",
    help="""
Reads a checkpoint (export.checkpoint, by default that of void infer) and writes to export.to

  void_STAGE.safetensors           layout=released: the transformer, with the names of the released files
  void_STAGE/                      layout=diffusers: a whole VoidPipeline with its model card
  void_STAGE_comfyui.safetensors   layout=comfyui: the transformer, for ComfyUI's own CogVideoX

With export.lora=FILE it reads a LoRA of any trainer instead and writes LORA_LAYOUT.safetensors, or a folder for
export.lora_layout=peft; the layouts are kohya, peft, diffusers and comfyui.

STAGE is stage.name. A second run does nothing; another checkpoint of the same name replaces what void export wrote, and
never anything else. docs/weights.md tells more.

  void export experiment=demo
  void export experiment=demo export.layout=diffusers export.dtype=float32
  void export model=cogvideox_fun_5b export.checkpoint=models/void-model/void_pass1.safetensors export.layout=comfyui
  void export model=cogvideox_fun_5b export.lora=my_lora.safetensors export.lora_layout=comfyui
""",
    groups=("export", "model", "recipe", "stage"),
    run=_run,
    check=check_stage,
    writes=lambda _: ("export.to",),
)
