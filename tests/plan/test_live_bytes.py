"""The counter of live tensors, on tensors whose sizes are known."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from void.plan.live_bytes import count_live_bytes

FLOAT = 4


def test_a_released_tensor_is_live_no_more_but_stays_in_the_peak() -> None:
    given = torch.empty(1000, device="meta")
    with count_live_bytes() as live:
        first = given + 1
        second = first * 2
        assert live.live == 2 * 1000 * FLOAT
        del first
        third = second[:10] + 1
    assert live.live == (1000 + 10) * FLOAT
    assert live.peak == 2 * 1000 * FLOAT
    assert third.shape == (10,)


def test_views_and_work_in_place_make_nothing() -> None:
    given = torch.empty(100, 10, device="meta")
    with count_live_bytes() as live:
        view = given.t()[2:]
        view.mul_(2)
        given.add_(1)
    assert live.peak == 0


def test_what_the_backward_pass_needs_stays() -> None:
    weight = torch.empty(10, requires_grad=True, device="meta")
    with count_live_bytes() as live:
        kept = (weight * 2).exp()
        with torch.no_grad():
            loose = (weight * 2).exp()
        assert live.live == 2 * 10 * FLOAT
        del loose
        result = kept.sum()
        del kept
    # exp keeps its output, though no name is left for it.
    assert live.live == (10 + 1) * FLOAT
    assert result.requires_grad


def test_attention_holds_no_scores_but_keeps_its_inputs_for_the_backward_pass() -> None:
    tokens, size = 4096, 2 * 4096 * 8 * FLOAT
    source = torch.empty(1, 2, tokens, 8, requires_grad=True, device="meta")
    with count_live_bytes() as live:
        output = F.scaled_dot_product_attention(source * 1, source * 1, source * 1)
    assert live.peak == live.live == 4 * size
    with torch.no_grad(), count_live_bytes() as live:
        without = F.scaled_dot_product_attention(source * 1, source * 1, source * 1)
    assert live.live == size
    assert output.shape == without.shape == source.shape
