"""One builder for every model: constructor arguments from the configuration, weights from a file or a seed."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import TypeVar

import torch
from diffusers import CogVideoXTransformer3DModel, DDIMScheduler
from torch import Tensor, nn
from transformers import AutoTokenizer, ByT5Tokenizer, PreTrainedTokenizerBase, T5Config, T5EncoderModel

from void.errors import InputError
from void.models.config import FILELESS_TOKENIZER, ModelConfig
from void.models.loading import load_strict
from void.models.vae import VoidVAE
from void.models.weights import resolve
from void.recipe import MaskExpansion

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}

FrozenT = TypeVar("FrozenT", VoidVAE, T5EncoderModel)


def build_transformer(
    cfg: ModelConfig,
    *,
    meta: bool = False,
    expansion: MaskExpansion | None = None,
    dtype: torch.dtype = torch.float32,
) -> CogVideoXTransformer3DModel:
    """The denoising transformer, in training mode as diffusers makes it.

    Args:
        cfg: the model.
        meta: build on the meta device, without weights (to count and compare shapes).
        expansion: how weights of 33 input channels become weights of 48; None: they are refused.
        dtype: of the weights.

    Raises:
        InputError: the weights are missing or do not fit.
    """
    with _construction(cfg, meta=meta or cfg.transformer_weights is not None):
        transformer = CogVideoXTransformer3DModel(**cfg.transformer)
    if cfg.transformer_weights is not None and not meta:
        load_strict(transformer, resolve(cfg.transformer_weights, cfg), dtype=dtype, expansion=expansion)
    # nn.Module's own method: diffusers' warns about modules to be kept in float32, even where there are none.
    return nn.Module.to(transformer, dtype)


def build_vae(cfg: ModelConfig, *, meta: bool = False) -> VoidVAE:
    """The VAE, frozen, in `cfg.dtype`. Arguments and errors as `build_transformer`."""
    with _construction(cfg, meta=meta or cfg.vae_weights is not None):
        vae = VoidVAE(**cfg.vae)
    if cfg.vae_weights is not None and not meta:
        load_strict(vae, resolve(cfg.vae_weights, cfg), dtype=configured_dtype(cfg))
    return _frozen(vae, cfg)


def build_text_encoder(cfg: ModelConfig, *, meta: bool = False) -> T5EncoderModel:
    """The T5 encoder, frozen, in `cfg.dtype`. Arguments and errors as `build_transformer`."""
    config = T5Config(**cfg.text_encoder)
    if cfg.text_encoder_weights is None or meta:
        with _construction(cfg, meta=meta):
            encoder = T5EncoderModel(config)
    else:
        encoder = _read_text_encoder(cfg, config, cfg.text_encoder_weights)
    return _frozen(encoder, cfg)


def build_tokenizer(cfg: ModelConfig) -> PreTrainedTokenizerBase:
    """The tokenizer: ByT5's bytes, which need no file, or the one in a local folder.

    Raises:
        InputError: the folder is missing or holds no tokenizer.
    """
    if cfg.tokenizer == FILELESS_TOKENIZER:
        return ByT5Tokenizer()
    folder = resolve(cfg.tokenizer, cfg)
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{folder} holds no readable tokenizer ({error})", "finish its download") from error


def build_scheduler(cfg: ModelConfig) -> DDIMScheduler:
    """The sampling scheduler; `void.diffusion.Schedule` takes the training schedule from the same configuration."""
    return DDIMScheduler(**cfg.scheduler)


def configured_dtype(cfg: ModelConfig) -> torch.dtype:
    """What `model.dtype` names.

    Raises:
        InputError: an unknown name.
    """
    if cfg.dtype not in DTYPES:
        raise InputError(f"model.dtype={cfg.dtype} is unknown", f"use one of {', '.join(DTYPES)}")
    return DTYPES[cfg.dtype]


def fingerprint(module: nn.Module) -> str:
    """Hex SHA-256 over the names, types, shapes and bytes of a module's weights, in order of name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(_bytes(tensor))
    return digest.hexdigest()


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()


@contextlib.contextmanager
def _construction(cfg: ModelConfig, *, meta: bool) -> Iterator[None]:
    """Random initial weights come from the configuration's seed and leave the global generator as it was."""
    with torch.random.fork_rng(devices=[]), torch.device("meta" if meta else "cpu"):
        torch.manual_seed(cfg.init_seed)
        yield


def _frozen(module: FrozenT, cfg: ModelConfig) -> FrozenT:
    # Not the classes' own `to`, which warns about an empty list of exceptions.
    nn.Module.to(module, configured_dtype(cfg))
    return module.requires_grad_(False).eval()


def _read_text_encoder(cfg: ModelConfig, config: T5Config, location: str) -> T5EncoderModel:
    folder = resolve(location, cfg)
    strict = {"local_files_only": True, "use_safetensors": True, "output_loading_info": True}
    encoder, report = T5EncoderModel.from_pretrained(folder, config=config, dtype=configured_dtype(cfg), **strict)
    problems = {kind: sorted(map(str, names)) for kind, names in report.items() if names}
    if problems:
        raise InputError(f"{folder} does not fit this text encoder: {problems}", "use weights of this architecture")
    return encoder
