"""33 channels become 48 by three named rules."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from golden_models import GOLDEN
from rounding import Arithmetic, assert_same
from safetensors.torch import load_file

from void.errors import InputError
from void.models.expansion import expand_patch_embed, in_channels
from void.recipe import MaskExpansion

SHARED = Path(__file__).parents[2] / "../shared/golden"
RECORDED = [folder / "patch_embed_expansion.safetensors" for folder in (GOLDEN, SHARED)]
NOISY, MASK, CLIP = slice(0, 128), slice(128, 256), slice(256, 384)


def base_weight(width: int = 12) -> torch.Tensor:
    return torch.randn(width, 264, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("file", [file for file in RECORDED if file.is_file()], ids=str)
def test_replicate_is_what_the_released_code_does(file: Path) -> None:
    recorded = load_file(file)
    assert torch.equal(expand_patch_embed(recorded["w_old"], MaskExpansion.replicate), recorded["w_new"])


@pytest.mark.parametrize("rule", MaskExpansion)
@pytest.mark.parametrize("width", [1, 12])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_noisy_and_clip_columns_stay_in_place(rule: MaskExpansion, width: int, dtype: torch.dtype) -> None:
    old = base_weight(width).to(dtype)
    new = expand_patch_embed(old, rule)
    assert new.shape == (width, 384) and new.dtype == dtype and new.is_contiguous()
    assert torch.equal(new[:, NOISY], old[:, :128])
    assert torch.equal(new[:, CLIP], old[:, 136:])


def test_each_rule_gives_its_share_to_every_mask_channel() -> None:
    old = base_weight()
    whole = old[:, 128:136].repeat(1, 16)
    assert torch.equal(expand_patch_embed(old, MaskExpansion.replicate)[:, MASK], whole)
    assert torch.equal(expand_patch_embed(old, MaskExpansion.mean)[:, MASK], whole / 16)
    assert not expand_patch_embed(old, MaskExpansion.zero)[:, MASK].any()


def test_mean_keeps_the_response_to_a_mask_that_all_channels_repeat() -> None:
    old, patch = base_weight(), torch.randn(33, 8, generator=torch.Generator().manual_seed(1))
    repeated = torch.cat([patch[:16], patch[16:17].expand(16, -1), patch[17:]])
    expanded = expand_patch_embed(old, MaskExpansion.mean) @ repeated.flatten()
    assert_same(expanded, old @ patch.flatten(), Arithmetic(depth=2, terms=384))


@pytest.mark.parametrize(("columns", "channels"), [(264, 33), (384, 48)])
def test_known_widths(columns: int, channels: int) -> None:
    assert in_channels(columns, "weights") == channels


@pytest.mark.parametrize(("columns", "shown"), [(288, "36"), (128, "16"), (265, "33.125")])
def test_other_widths_are_refused_with_what_is_accepted(columns: int, shown: str) -> None:
    with pytest.raises(InputError, match=rf"{columns} columns: {shown} input channels") as error:
        expand_patch_embed(torch.zeros(4, columns), MaskExpansion.mean)
    assert "48" in error.value.remedy and "33" in error.value.remedy


def test_a_weight_of_48_channels_is_not_expanded_again() -> None:
    with pytest.raises(InputError, match="48 input channels already"):
        expand_patch_embed(torch.zeros(4, 384), MaskExpansion.mean)
