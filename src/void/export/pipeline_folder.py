"""A whole VoidPipeline as a diffusers folder.

FOLDER/
  model_index.json                         components, mask levels, conditioning noise
  transformer/  vae/  scheduler/           as diffusers saves them
  tokenizer/  text_encoder/                unless export.text_encoder=false
  pipeline.py                              names the pipeline's class to diffusers (custom_pipeline="pipeline")
  README.md                                model card
  export.json                              what it was made from
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from void.config import VoidConfig
from void.files import read_json, sha256_of, whole_folder, write_json, write_text
from void.models.identity import tokenizer_identity, weights_identity
from void.pipelines import weights
from void.pipelines.settings import pipeline_settings

RECORD = "export.json"
CARD = "README.md"
LOADER = "pipeline.py"
LOADER_TEXT = '''\
"""The class of this pipeline, for diffusers' DiffusionPipeline.from_pretrained(..., custom_pipeline="pipeline")."""

from void.pipelines.void_pipeline import VoidPipeline

__all__ = ["VoidPipeline"]
'''
KIND = "exported pipeline"
"""Name of the folder in its ledger."""
COMPONENTS = ("transformer", "vae", "scheduler", "tokenizer", "text_encoder")


def pipeline_record(config: VoidConfig, checkpoint: weights.Checkpoint, card: str) -> dict[str, Any]:
    """Everything that the folder's content depends on, with its hash as `key`.

    Raises:
        InputError: a file of weights is missing.
    """
    model, with_text = config.model, config.export.text_encoder
    made_from = {
        "checkpoint": checkpoint.record(),
        "stage": config.stage.name.value,
        "dtype": config.export.dtype.value,
        "settings": pipeline_settings(config),
        "scheduler": model.scheduler,
        "vae": {"config": model.vae, "weights": weights_identity(model, model.vae_weights)},
        "text_encoder": weights_identity(model, model.text_encoder_weights) if with_text else None,
        "tokenizer": tokenizer_identity(model) if with_text else None,
        "card": card,
        "loader": LOADER_TEXT,
    }
    return {"key": sha256_of(made_from), "made_from": made_from}


def write_pipeline_folder(
    path: Path, config: VoidConfig, checkpoint: weights.Checkpoint, record: dict[str, Any], card: str
) -> None:
    """Build the pipeline and save it, whole or not at all.

    Args:
        path: of the folder; replaced if it exists.
        config: with `model.dtype` as wanted in the folder.
        checkpoint: of the transformer.
        record: from `pipeline_record`.
        card: text of the model card.

    Raises:
        InputError: weights are missing or do not fit.
    """
    # Imported here because diffusers takes seconds to load, and a folder that is there is known by its record.
    from void.models.build import build_scheduler, build_text_encoder, build_tokenizer, build_vae
    from void.pipelines.void_pipeline import VoidPipeline

    with_text = config.export.text_encoder
    pipeline = VoidPipeline(
        transformer=weights.load(config, checkpoint),
        vae=build_vae(config.model),
        scheduler=build_scheduler(config.model),
        tokenizer=build_tokenizer(config.model) if with_text else None,
        text_encoder=build_text_encoder(config.model) if with_text else None,
        **pipeline_settings(config),
    )
    with whole_folder(path, KIND, earlier=_is_earlier_export) as partial:
        pipeline.save_pretrained(partial)
        write_text(partial / CARD, card)
        write_text(partial / LOADER, LOADER_TEXT)
        write_json(partial / RECORD, record)
        # safetensors makes files that only their owner can read, whatever the umask says.
        for file in partial.rglob("*.safetensors"):
            file.chmod((partial / CARD).stat().st_mode)


def _is_earlier_export(path: Path) -> bool:
    """Whether a folder without a ledger holds an export's record and nothing that no export has."""
    known = {RECORD, CARD, "model_index.json", *COMPONENTS}
    return folder_key(path) is not None and {file.name for file in path.iterdir()} <= known


def folder_key(path: Path) -> str | None:
    """The key that `write_pipeline_folder` kept; None in a folder that it did not write."""
    file = path / RECORD
    return read_json(file).get("key") if file.is_file() else None
