"""Prompts to text embeddings."""

from __future__ import annotations

import logging
from textwrap import shorten

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase, T5EncoderModel

log = logging.getLogger(__name__)


def encode_text(
    texts: list[str],
    tokenizer: PreTrainedTokenizerBase,
    encoder: T5EncoderModel,
    max_tokens: int,
    device: torch.device | None = None,
) -> Tensor:
    """Embeddings `(B, max_tokens, D)` in the encoder's type.

    Prompts are padded to `max_tokens` and the encoder gets no attention mask, as in the released model: padding tokens
    are ordinary tokens to it and to the transformer. A prompt that is too long is cut, with a warning that shows what
    was lost.

    Args:
        texts: at least one prompt.
        tokenizer: of the encoder.
        encoder: put into evaluation mode.
        max_tokens: length of every embedding.
        device: where the encoder works, if its weights wait elsewhere (offloading); None: where they are.
    """
    assert texts
    padded = tokenizer(texts, padding="max_length", max_length=max_tokens, truncation=True, return_tensors="pt")
    for text in texts:
        whole = tokenizer(text).input_ids
        if len(whole) > max_tokens:
            cut = tokenizer.decode(whole[max_tokens - 1 :], skip_special_tokens=True)
            log.warning("prompt %r is cut to %d tokens; lost: %r", shorten(text, 40), max_tokens, cut)
    encoder.eval()
    with torch.no_grad():
        return encoder(padded.input_ids.to(device or encoder.device)).last_hidden_state
