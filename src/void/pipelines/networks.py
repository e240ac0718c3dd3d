"""The networks of one `void infer` run: all of its passes together need no more memory than its largest network.

The prompts of every pass are encoded once, and the text encoder is gone before a transformer comes. One transformer is
there at a time: that of the first pass is given up before the second one's is read. The VAE is built once.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from void.config import VoidConfig
from void.device import torch_device
from void.models.build import build_scheduler, build_text_encoder, build_tokenizer, build_vae
from void.models.text import encode_text
from void.models.vae import VoidVAE
from void.pipelines import weights
from void.pipelines.memory import apply_memory
from void.pipelines.settings import pipeline_settings
from void.pipelines.void_pipeline import VoidPipeline

EMPTY_PROMPT = ""


class Networks:
    """Builds networks when they are first needed, and gives them up when the next ones come.

    Args:
        config: The run; model, device and how memory is used are the same in all of its passes.
        prompts: Every prompt of every pass.
    """

    def __init__(self, config: VoidConfig, prompts: Sequence[str]) -> None:
        self._config = config
        self._prompts = sorted({*prompts, EMPTY_PROMPT})
        self._device = torch_device(config.device)
        self._pipeline: VoidPipeline | None = None

    @cached_property
    def texts(self) -> dict[str, Tensor]:
        """Embeddings `(1, L, D)` of the prompts, on the CPU; the text encoder lives only as long as this takes."""
        model = self._config.model
        encoder, tokenizer = build_text_encoder(model).to(self._device), build_tokenizer(model)
        limit = model.max_text_tokens
        texts = {prompt: encode_text([prompt], tokenizer, encoder, limit).float().cpu() for prompt in self._prompts}
        del encoder
        _collect(self._device)
        return texts

    @property
    def pipeline(self) -> VoidPipeline:
        """The pipeline of the pass that was prepared last."""
        assert self._pipeline is not None
        return self._pipeline

    def prepare(self, config: VoidConfig, checkpoint: weights.Checkpoint) -> None:
        """Build the pipeline of one pass, in place of that of the pass before.

        Args:
            config: The pass (`settings.of_pass`).
            checkpoint: Weights of its transformer.

        Raises:
            InputError: Weights are missing or do not fit, or the memory mode cannot be had here.
        """
        _ = self.texts
        self.release()
        pipeline = VoidPipeline(
            transformer=weights.load(config, checkpoint),
            vae=self._vae,
            scheduler=build_scheduler(config.model),
            **pipeline_settings(config),
        )
        apply_memory(pipeline, config.infer, self._device, config.recipe.mask_expansion)
        pipeline.set_progress_bar_config(disable=True)
        self._pipeline = pipeline

    def release(self) -> None:
        """Give up the transformer."""
        if self._pipeline is None:
            return
        # Offloading hooks hold weights of their own, those of the VAE too, which goes on to the next pass.
        self._pipeline.remove_all_hooks()
        self._pipeline = None
        if self._config.infer.compile:
            torch.compiler.reset()
        _collect(self._device)

    @cached_property
    def _vae(self) -> VoidVAE:
        return build_vae(self._config.model)


def _collect(device: torch.device) -> None:
    """Free networks that nothing names any more: modules with hooks are parts of reference cycles."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
