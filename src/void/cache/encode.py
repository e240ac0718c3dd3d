"""A pair through the frozen networks: clip and mask to VAE posteriors, caption to text embedding.

Shape legend: V noise variants, B batch, C channels, T frames, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from void.cache.shards import CachedPair
from void.conditioning import condition_videos, rgb_video, training_sigma
from void.config import VoidConfig
from void.data.fit import fit_pair
from void.data.randomness import generator
from void.errors import InputError
from void.models.build import build_text_encoder, build_tokenizer, build_vae
from void.models.text import encode_text
from void.models.vae import encode_moments
from void.pairs import Pair
from void.recipe import effective_levels

EMPTY_CAPTION = ""
# On the CPU, convolutions of a single clip take a slow path; each more costs memory.
CLIPS_AT_ONCE = 3


class Encoder:
    """The VAE and the text encoder of a configuration.

    Args:
        cfg: gives networks, geometry, mask levels and the number of noise variants.
        device: where they run.
    """

    def __init__(self, cfg: VoidConfig, device: torch.device) -> None:
        self.data = cfg.data
        self.mask_levels = effective_levels(cfg.recipe.mask_levels, cfg.stage.name, training=True)
        self.noise_variants = cfg.cache.noise_variants if cfg.model.conditioning_noise else 0
        self.max_text_tokens = cfg.model.max_text_tokens
        self.vae = build_vae(cfg.model).to(device)
        self.text_encoder = build_text_encoder(cfg.model).to(device)
        self.tokenizer = build_tokenizer(cfg.model)
        self._texts: dict[str, Tensor] = {}

    def encode(self, pair: Pair, caption: str, where: str) -> CachedPair:
        """Everything the cache keeps of a pair, on the CPU.

        Args:
            pair: as it is on disk.
            caption: of the clip without the object.
            where: the pair's id, which seeds the pixel noise of each variant.

        Raises:
            InputError: the clip is too short, or the VAE's output is not finite.
        """
        fitted = fit_pair(pair, self.data, where)
        videos_BCTHW = torch.cat([rgb_video(fitted.rgb_removed_THWC), *self._conditions(fitted, where)])
        moments = [encode_moments(self.vae, part_BCTHW) for part_BCTHW in videos_BCTHW.split(CLIPS_AT_ONCE)]
        mean_BTCHW, logvar_BTCHW = (torch.cat(parts).cpu() for parts in zip(*moments, strict=True))
        if not (mean_BTCHW.isfinite().all() and logvar_BTCHW.isfinite().all()):
            raise InputError(
                f"{where}: the VAE gives values that are not finite", "check model.vae_weights and model.dtype"
            )
        return CachedPair(
            target_mean=mean_BTCHW[0],
            target_logvar=logvar_BTCHW[0],
            mask_mean=mean_BTCHW[1],
            mask_logvar=logvar_BTCHW[1],
            input_mean=mean_BTCHW[2:],
            input_logvar=logvar_BTCHW[2:],
            text=self.text(caption),
        )

    def _conditions(self, fitted: Pair, pair_id: str) -> Iterator[Tensor]:
        """The mask and the first variant of the input clip `(2, 3, T, H, W)`, then each further variant."""
        clip = (fitted.rgb_full_THWC, fitted.quadmask, self.mask_levels)
        if self.noise_variants == 0:
            yield condition_videos(*clip)
        for variant in range(self.noise_variants):
            draws = generator("conditioning noise", pair_id, variant)
            both_BCTHW = condition_videos(*clip, sigma=training_sigma(draws), generator=draws)
            yield both_BCTHW if variant == 0 else both_BCTHW[1:]

    def text(self, caption: str) -> Tensor:
        """The embedding `(L, D)` of a caption, on the CPU."""
        # Neighbouring pairs often share theirs.
        if caption not in self._texts:
            embedding = encode_text([caption], self.tokenizer, self.text_encoder, self.max_text_tokens)[0]
            self._texts = {caption: embedding.float().cpu()}
        return self._texts[caption]
