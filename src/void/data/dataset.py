"""Training samples from the latent cache.

Shape legend: B batch, T latent frames, C latent channels, H latent rows, W latent columns, L text tokens, D text width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from void.cache.noise import NoiseCache
from void.cache.shards import CachedPair
from void.cache.store import Cache
from void.data.order import SampleKey
from void.data.randomness import generator
from void.pairs import ManifestRow
from void.recipe import Posterior

# The range to which diffusers' DiagonalGaussianDistribution limits log-variances.
LOGVAR_RANGE = (-30.0, 20.0)


@dataclass(frozen=True, eq=False)
class Batch:
    """Scaled latents `(B, T, C, H, W)` of target (without the object), mask and input clip, and the text.

    `noise_BTCHW`, in pass 2, is the noise that moves with the clip.
    """

    target_BTCHW: Tensor
    mask_BTCHW: Tensor
    input_BTCHW: Tensor
    text_BLD: Tensor
    noise_BTCHW: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        return self._each(lambda tensor: tensor.to(device, non_blocking=True))

    def pin_memory(self) -> Batch:
        """The same batch in page-locked memory: the `DataLoader` calls this."""
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> Batch:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        changed: dict[str, Any] = {name: None if value is None else change(value) for name, value in values.items()}
        return Batch(**changed)

    def __len__(self) -> int:
        return len(self.target_BTCHW)


class LatentDataset(Dataset[Batch]):
    """Rows of a cache as batches of one.

    What is random about a sample depends on `(seed, epoch, index)` alone: its posterior draws, the noise variant of its
    input clip, whether its caption is dropped, and how the channels of its noise are turned.

    Args:
        cache: the latent cache.
        rows: the rows to serve, in the order that indices count.
        scaling_factor: of the VAE: latents are multiplied by it.
        target_posterior: whether the target's posterior is sampled anew at each visit or replaced by its mode.
        condition_posterior: the same for mask and input clip.
        draw_variant: whether each visit draws one of the cached noise variants; false: always the first.
        text_dropout: probability of the empty caption.
        seed: of the run.
        noise: that moves with each clip; None: pass 1, which needs none.
        rotate_noise: whether each visit turns the channels of that noise by a random rotation, which leaves all its
            statistics as they are: the channels are independent, and moved alike.
    """

    def __init__(
        self,
        cache: Cache,
        rows: list[ManifestRow],
        *,
        scaling_factor: float,
        target_posterior: Posterior,
        condition_posterior: Posterior,
        draw_variant: bool,
        text_dropout: float,
        seed: int,
        noise: NoiseCache | None = None,
        rotate_noise: bool = False,
    ) -> None:
        self.cache = cache
        self.rows = rows
        self.scaling_factor = scaling_factor
        self.posteriors = {"target": target_posterior, "mask": condition_posterior, "input": condition_posterior}
        self.variants = cache.variants if draw_variant else 1
        self.text_dropout = text_dropout
        self.seed = seed
        self.null_text = cache.null_text
        self.noise, self.rotate_noise = noise, rotate_noise

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: SampleKey) -> Batch:
        draws = generator(self.seed, "sample", key.epoch, key.index)
        variant = int(torch.randint(self.variants, (), generator=draws))
        entry = self.cache.entry(self.rows[key.index].id, variant)
        latents = {name: self._latents(entry, name, draws) for name in self.posteriors}
        dropped = torch.rand((), generator=draws).item() < self.text_dropout
        text_LD = self.null_text if dropped else entry.text
        noise_BTCHW = None if self.noise is None else self._noise(self.noise, key, draws)
        return Batch(latents["target"], latents["mask"], latents["input"], text_LD[None], noise_BTCHW)

    def _noise(self, noise: NoiseCache, key: SampleKey, draws: torch.Generator) -> Tensor:
        noise_TCHW = noise.entry(self.rows[key.index].id)
        if self.rotate_noise:
            turn_CC = random_rotation(noise_TCHW.shape[1], draws)
            noise_TCHW = torch.einsum("dc,tchw->tdhw", turn_CC, noise_TCHW)
        return noise_TCHW[None]

    def _latents(self, entry: CachedPair, name: str, draws: torch.Generator) -> Tensor:
        mean, logvar = getattr(entry, f"{name}_mean"), getattr(entry, f"{name}_logvar")
        # The input clip comes with a first dimension, its one variant.
        mean_BTCHW, logvar_BTCHW = (tensor.view(1, *tensor.shape[-4:]) for tensor in (mean, logvar))
        if self.posteriors[name] is Posterior.mode:
            return self.scaling_factor * mean_BTCHW
        # z = s (mu + sigma eps)
        sigma_BTCHW = (0.5 * logvar_BTCHW.clamp(*LOGVAR_RANGE)).exp()
        return self.scaling_factor * (mean_BTCHW + sigma_BTCHW * torch.randn(mean_BTCHW.shape, generator=draws))


def collate(batches: list[Batch]) -> Batch:
    """Join batches along B."""
    tensors = {field.name: [getattr(batch, field.name) for batch in batches] for field in fields(Batch)}
    joined: dict[str, Any] = {name: None if parts[0] is None else torch.cat(parts) for name, parts in tensors.items()}
    return Batch(**joined)


def random_rotation(size: int, draws: torch.Generator) -> Tensor:
    """An orthogonal matrix `(size, size)`, uniformly distributed (Mezzadri 2007): reflections count as rotations."""
    q, r = torch.linalg.qr(torch.randn(size, size, generator=draws))
    return q * r.diagonal().sign()
