"""A pair through the frozen networks: clip and mask to VAE posteriors, caption to text embedding.

Shape legend: B batch, C channels, T frames, H height, W width.
"""

from __future__ import annotations

import torch
from torch import Tensor

from void.cache.shards import CachedPair
from void.conditioning import mask_video, rgb_video
from void.config import VoidConfig
from void.data.fit import fit_pair
from void.errors import InputError
from void.models.build import build_text_encoder, build_tokenizer, build_vae
from void.models.text import encode_text
from void.models.vae import encode_moments
from void.pairs import Pair

EMPTY_CAPTION = ""


class Encoder:
    """The VAE and the text encoder of a configuration.

    Args:
        cfg: gives networks, geometry and mask levels.
        device: where they run.
    """

    def __init__(self, cfg: VoidConfig, device: torch.device) -> None:
        self.data = cfg.data
        self.mask_levels = cfg.recipe.mask_levels
        self.max_text_tokens = cfg.model.max_text_tokens
        self.vae = build_vae(cfg.model).to(device)
        self.text_encoder = build_text_encoder(cfg.model).to(device)
        self.tokenizer = build_tokenizer(cfg.model)
        self._texts: dict[str, Tensor] = {}

    def encode(self, pair: Pair, caption: str, where: str) -> CachedPair:
        """Everything the cache keeps of a pair, on the CPU.

        Raises:
            InputError: the clip is too short, or the VAE's output is not finite.
        """
        fitted = fit_pair(pair, self.data, where)
        # One batch of three: on the CPU, convolutions of a single clip take a slow path.
        videos_BCTHW = torch.cat(
            [
                rgb_video(fitted.rgb_removed_THWC),
                rgb_video(fitted.rgb_full_THWC),
                mask_video(fitted.quadmask, self.mask_levels),
            ]
        )
        mean_BTCHW, logvar_BTCHW = encode_moments(self.vae, videos_BCTHW)
        if not (mean_BTCHW.isfinite().all() and logvar_BTCHW.isfinite().all()):
            raise InputError(
                f"{where}: the VAE gives values that are not finite", "check model.vae_weights and model.dtype"
            )
        mean, logvar = mean_BTCHW.cpu(), logvar_BTCHW.cpu()
        return CachedPair(mean[0], logvar[0], mean[1], logvar[1], mean[2], logvar[2], self.text(caption))

    def text(self, caption: str) -> Tensor:
        """The embedding `(L, D)` of a caption, on the CPU."""
        # Neighbouring pairs often share theirs.
        if caption not in self._texts:
            embedding = encode_text([caption], self.tokenizer, self.text_encoder, self.max_text_tokens)[0]
            self._texts = {caption: embedding.float().cpu()}
        return self._texts[caption]
