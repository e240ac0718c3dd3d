"""`void export`: one checkpoint, or one LoRA, into one layout."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from safetensors import SafetensorError

from void.config import VoidConfig
from void.errors import InputError
from void.export.config import Layout, LoraLayout
from void.export.lora import write_lora_file, write_lora_folder
from void.export.model_card import model_card
from void.export.pipeline_folder import folder_key, pipeline_record, write_pipeline_folder
from void.export.single_file import file_key, write_single_file
from void.files import check_replaceable, sha256_of
from void.models.comfyui import to_comfyui
from void.models.lora import lora_identity
from void.pipelines import weights
from void.pipelines.lora import check_lora
from void.pipelines.settings import pipeline_settings
from void.recipe import Stage

log = logging.getLogger(__name__)


def export(config: VoidConfig) -> Path:
    """Write the export; leave it alone where it is there already.

    Returns:
        Its file or folder below `export.to`: `void_STAGE.safetensors` (released), `void_STAGE_comfyui.safetensors`
        (comfyui) or `void_STAGE/` (diffusers). With `export.lora`, `LORA_LAYOUT.safetensors`, or `LORA_peft/`.

    Raises:
        InputError: the checkpoint cannot be read, something else has the export's name, or the disk is full.
    """
    settings, stage = config.export, config.stage.name
    if settings.lora is not None:
        return _export_lora(config, settings.lora)
    if stage not in (Stage.pass1, Stage.pass2):
        raise InputError(f"stage={stage.value}: a checkpoint is of one pass", "export stage=pass1, then stage=pass2")
    config = replace(config, model=replace(config.model, dtype=settings.dtype.value))
    of_stage = weights.SECOND if stage is Stage.pass2 else weights.FIRST
    checkpoint = weights.choose(config, of_stage if settings.checkpoint is None else weights.EXPORT)
    stem = f"void_{stage.value}"
    if settings.layout is Layout.diffusers:
        return _export_folder(config, checkpoint, Path(settings.to) / stem)
    if settings.layout is Layout.comfyui:
        return _export_file(config, checkpoint, Path(settings.to) / f"{stem}_comfyui.safetensors", to_comfyui)
    return _export_file(config, checkpoint, Path(settings.to) / f"{stem}.safetensors", str)


def _export_file(config: VoidConfig, checkpoint: weights.Checkpoint, path: Path, rename: Callable[[str], str]) -> Path:
    layout, dtype = config.export.layout.value, config.export.dtype.value
    key = sha256_of({"checkpoint": checkpoint.sha256, "layout": layout, "dtype": dtype})
    if not _is_current(path, key, file_key):
        transformer = weights.load(config, checkpoint)
        with _naming(path):
            write_single_file(path, transformer, key, rename)
    return path


def _export_folder(config: VoidConfig, checkpoint: weights.Checkpoint, path: Path) -> Path:
    card = model_card(config, checkpoint, pipeline_settings(config), path.name)
    record = pipeline_record(config, checkpoint, card)
    if not _is_current(path, record["key"], folder_key):
        with _naming(path):
            write_pipeline_folder(path, config, checkpoint, record, card)
    return path


def _export_lora(config: VoidConfig, source: str) -> Path:
    settings, rule = config.export, config.recipe.mask_expansion
    lora = check_lora(source, config, key="export.lora")
    for note in lora.notes:
        log.warning("%s", note)
    layout = settings.lora_layout
    made_from = {"lora": lora_identity(source, rule), "layout": layout.value, "dtype": settings.dtype.value}
    key = sha256_of(made_from)
    stem = f"{Path(source).resolve().name.removesuffix('.safetensors')}_{layout.value}"
    if layout is LoraLayout.peft:
        folder = Path(settings.to) / stem
        if not _is_current(folder, key, folder_key):
            with _naming(folder):
                write_lora_folder(folder, lora, rule, settings.dtype, {"key": key, "made_from": made_from})
        return folder
    path = Path(settings.to) / f"{stem}.safetensors"
    if not _is_current(path, key, file_key):
        with _naming(path):
            write_lora_file(path, lora, rule, settings.dtype, layout, key)
    return path


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Says what was written, or, where safetensors could not write (its errors are not the system's), what was not."""
    try:
        yield
    except SafetensorError as error:
        raise InputError(
            f"{path} cannot be written ({error})", "free some space, or choose another folder: export.to=PATH"
        ) from error
    log.info("wrote %s", path)


def _is_current(path: Path, key: str, key_of: Callable[[Path], str | None]) -> bool:
    if not path.exists():
        return False
    found = key_of(path)
    if found is None:
        raise InputError(
            f"{path} exists, and void export did not write it", "give another folder: export.to=PATH, or move it away"
        )
    if found == key:
        log.info("%s is up to date", path)
    else:
        check_replaceable(path, earlier=lambda file: key_of(file) is not None)
        log.info("%s was made from something else and is replaced", path)
    return found == key
