"""The rotary tables against the released code's; tests/parity compares the whole forward pass."""

from __future__ import annotations

import torch
from golden_models import model_config, tensors
from rounding import Arithmetic, assert_same

from void.models.build import build_transformer
from void.models.rotary import rotary_tables


def test_rotary_tables_match() -> None:
    golden = tensors("transformer_forward")
    config = build_transformer(model_config(), meta=True).config
    frames, height, width = (golden["hidden_states"].shape[axis] for axis in (1, 3, 4))
    cosine, sine = rotary_tables(config, frames, height, width, "cpu")
    # An angle of n radians is rounded to n units, and its cosine moves as much; positions stay below 16.
    assert_same(cosine, golden["rope_cos"], Arithmetic(depth=1, terms=1, gain=16))
    assert_same(sine, golden["rope_sin"], Arithmetic(depth=1, terms=1, gain=16))


def test_rotary_positions_do_not_depend_on_the_resolution() -> None:
    config = build_transformer(model_config(), meta=True).config
    small, _ = rotary_tables(config, 4, 4, 6, "cpu")
    large, _ = rotary_tables(config, 8, 12, 16, "cpu")
    assert torch.equal(small.reshape(2, 2, 3, -1), large.reshape(4, 6, 8, -1)[:2, :2, :3])
