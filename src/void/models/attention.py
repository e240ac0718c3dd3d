"""The transformer's joint attention over text and video tokens, with a choice of implementation.

diffusers' own processor for this transformer always calls torch's scaled_dot_product_attention: `set_attention_backend`
has no effect on it. This one does the same arithmetic through diffusers' dispatcher.

Shape legend: B batch, S tokens (text first), H heads, D width of a head.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from diffusers import CogVideoXTransformer3DModel
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn
from diffusers.models.attention_processor import Attention
from diffusers.models.embeddings import apply_rotary_emb
from torch import Tensor

from void.errors import InputError


class DispatchedAttention:
    """CogVideoX's attention processor on the backend that `set_attention_backend` names."""

    # Set by diffusers, on the instance.
    _attention_backend: AttentionBackendName | None = None
    _parallel_config: ClassVar[None] = None

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Video tokens `(B, S_video, H*D)` and text tokens `(B, S_text, H*D)` after attention."""
        assert attention_mask is None and attn.norm_q is not None and attn.norm_k is not None
        text_tokens = encoder_hidden_states.shape[1]
        tokens_BSC = torch.cat([encoder_hidden_states, hidden_states], dim=1)
        query_BSHD, key_BSHD, value_BSHD = (
            project(tokens_BSC).unflatten(-1, (attn.heads, -1)) for project in (attn.to_q, attn.to_k, attn.to_v)
        )
        query_BSHD = _rotate_video(attn.norm_q(query_BSHD), text_tokens, image_rotary_emb)
        key_BSHD = _rotate_video(attn.norm_k(key_BSHD), text_tokens, image_rotary_emb)
        mixed_BSHD = dispatch_attention_fn(query_BSHD, key_BSHD, value_BSHD, backend=self._attention_backend)
        mixed_BSC = attn.to_out[1](attn.to_out[0](mixed_BSHD.flatten(2)))
        text_BSC, video_BSC = mixed_BSC.split([text_tokens, mixed_BSC.shape[1] - text_tokens], dim=1)
        return video_BSC, text_BSC


def _rotate_video(heads_BSHD: Tensor, text_tokens: int, tables: tuple[Tensor, Tensor] | None) -> Tensor:
    if tables is None:
        return heads_BSHD
    video_BSHD = apply_rotary_emb(heads_BSHD[:, text_tokens:], tables, sequence_dim=1)
    return torch.cat([heads_BSHD[:, :text_tokens], video_BSHD], dim=1)


def set_attention_backend(transformer: CogVideoXTransformer3DModel, name: str) -> None:
    """Compute the transformer's attention with one of diffusers' backends.

    Args:
        transformer: changed in place.
        name: `native`, `flash`, `sage`, ...: a value of diffusers' AttentionBackendName.

    Raises:
        InputError: there is no such backend, or this machine lacks what it needs.
    """
    names = sorted(backend.value for backend in AttentionBackendName)
    if name not in names:
        raise InputError(f"infer.attention={name} is not an attention backend", f"use one of {', '.join(names)}")
    transformer.set_attn_processor(DispatchedAttention())
    try:
        transformer.set_attention_backend(name)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise InputError(
            f"infer.attention={name} cannot be used here ({error})",
            "install what it needs, or use infer.attention=native",
        ) from error
