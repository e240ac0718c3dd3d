"""Text embeddings: padding, cutting, and no attention mask."""

from __future__ import annotations

import torch
from golden_models import model_config
from rounding import Arithmetic, assert_same

from void.models.build import build_text_encoder, build_tokenizer
from void.models.text import encode_text


def test_padded_to_length_and_padding_counts() -> None:
    model = model_config()
    tokenizer, encoder = build_tokenizer(model), build_text_encoder(model).train()
    both = encode_text(["", "a ball"], tokenizer, encoder, 16)
    assert both.shape == (2, 16, 24)
    alone = encode_text(["a ball"], tokenizer, encoder, 16)
    # One block of T5: 5 matrix products, attention and 3 normalisations.
    assert_same(both[1:], alone, Arithmetic(depth=10, terms=32))
    # Without an attention mask, more padding changes the embedding of every token.
    longer = encode_text(["a ball"], tokenizer, encoder, 20)
    assert not torch.allclose(longer[:, :6], alone[:, :6], atol=1e-4)


def test_a_cut_prompt_is_reported(caplog) -> None:
    model = model_config()
    tokenizer, encoder = build_tokenizer(model), build_text_encoder(model)
    encode_text(["exactly fifteen"], tokenizer, encoder, 16)
    assert not caplog.records
    embeddings_BLD = encode_text(["exactly fifteen and more"], tokenizer, encoder, 16)
    assert embeddings_BLD.shape == (1, 16, 24)
    assert "prompt 'exactly fifteen and more' is cut to 16 tokens" in caplog.text and "' and more'" in caplog.text
