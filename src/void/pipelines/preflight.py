"""All that can be found wrong with the networks of a run before one of them is built."""

from __future__ import annotations

from collections.abc import Sequence

from void.config import VoidConfig
from void.device import torch_device
from void.models.attention import set_attention_backend
from void.models.build import build_tokenizer, build_vae
from void.models.loading import check_fits
from void.models.weights import read_shapes, resolve
from void.pipelines import weights
from void.pipelines.lora import check_lora
from void.pipelines.memory import check_memory


def check_networks(config: VoidConfig, checkpoints: Sequence[weights.Checkpoint]) -> None:
    """Look at the device and at the headers of all files of weights; networks are made on the meta device only.

    Args:
        config: The run.
        checkpoints: Checkpoints of its passes.

    Raises:
        InputError: The device, memory mode or attention backend cannot be had here, or a checkpoint, the
            VAE, the text encoder, the tokenizer or the LoRA is missing or does not fit.
    """
    check_memory(config.infer, torch_device(config.device))
    model, infer = config.model, config.infer
    build_tokenizer(model)
    if model.vae_weights is not None:
        check_fits(build_vae(model, meta=True), resolve(model.vae_weights, model))
    if model.text_encoder_weights is not None:
        # Transformers compares names and shapes as it reads them.
        read_shapes(resolve(model.text_encoder_weights, model))
    for checkpoint in checkpoints:
        transformer = weights.empty(config, checkpoint)
        if infer.attention is not None:
            set_attention_backend(transformer, infer.attention)
        if infer.lora is not None:
            check_lora(infer.lora, config, checkpoint)
