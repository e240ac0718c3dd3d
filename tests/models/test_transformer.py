"""The transformer and its rotary tables against the released code's recorded tensors."""

from __future__ import annotations

import torch
from golden_models import model_config, tensors

from void.conditioning import model_input
from void.models.build import build_transformer
from void.models.rotary import rotary_tables


def test_forward_and_rotary_tables_match() -> None:
    golden = tensors("transformer_forward")
    transformer = build_transformer(model_config()).eval()
    frames, height, width = (golden["hidden_states"].shape[axis] for axis in (1, 3, 4))
    cosine, sine = rotary_tables(transformer.config, frames, height, width, "cpu")
    torch.testing.assert_close(cosine, golden["rope_cos"], atol=1e-6, rtol=0)
    torch.testing.assert_close(sine, golden["rope_sin"], atol=1e-6, rtol=0)
    with torch.no_grad():
        output_BTCHW = transformer(
            model_input(golden["hidden_states"], golden["inpaint_latents"]),
            golden["text_embeds"],
            golden["timesteps"],
            image_rotary_emb=(cosine, sine),
        ).sample
    torch.testing.assert_close(output_BTCHW, golden["output"], atol=1e-5, rtol=0)


def test_rotary_positions_do_not_depend_on_the_resolution() -> None:
    config = build_transformer(model_config(), meta=True).config
    small, _ = rotary_tables(config, 4, 4, 6, "cpu")
    large, _ = rotary_tables(config, 8, 12, 16, "cpu")
    assert torch.equal(small.reshape(2, 2, 3, -1), large.reshape(4, 6, 8, -1)[:2, :2, :3])
