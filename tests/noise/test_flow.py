"""Optical flow on clips whose motion is known."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from void.errors import InputError
from void.noise.config import FlowMethod, NoiseConfig
from void.noise.flow import DisFlow, check_flow, clip_flow, estimator, resize_flow

HEIGHT, WIDTH = 128, 160


def texture(seed: int = 0) -> NDArray[np.uint8]:
    """Smooth random colours, larger than a frame by a margin."""
    noise = np.random.default_rng(seed).normal(size=(HEIGHT + 64, WIDTH + 64, 3)).astype(np.float32)
    smooth = sum(cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1.5, 3, 8))
    low, high = smooth.min(), smooth.max()
    return ((smooth - low) / (high - low) * 255).astype(np.uint8)


def warped(matrix: list[list[float]]) -> NDArray[np.uint8]:
    """The texture's middle after the affine motion x' = M (x, 1)."""
    around = np.float32([[1, 0, 32], [0, 1, 32]])
    whole = np.vstack([np.float32(matrix), [0, 0, 1]]).astype(np.float32)
    sampled = np.vstack([around, [0, 0, 1]]) @ np.linalg.inv(whole)
    return cv2.warpAffine(
        texture(),
        sampled[:2],
        (WIDTH, HEIGHT),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )


@pytest.mark.parametrize(
    ("matrix", "most"),
    [
        ([[1, 0, 4.5], [0, 1, -2.25]], 0.03),
        ([[1.04, 0, -3.2], [0, 1.04, -2.6]], 0.06),
        ([[0.9997, -0.0262, 1.7], [0.0262, 0.9997, -2.1]], 0.05),
    ],
    ids=["shift", "zoom", "rotation"],
)
def test_the_forward_flow_is_found_in_pixels(matrix: list[list[float]], most: float) -> None:
    found_2HW = DisFlow()(warped([[1, 0, 0], [0, 1, 0]]), warped(matrix)).numpy()
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    m = np.array(matrix)
    truth_2HW = np.stack([m[0, 0] * x + m[0, 1] * y + m[0, 2] - x, m[1, 0] * x + m[1, 1] * y + m[1, 2] - y])
    inside = (slice(12, -12), slice(12, -12))
    error = np.hypot(*(found_2HW - truth_2HW))[inside]
    assert np.median(error) < most and error.mean() < most
    # Not so of the motion the other way round, or with x and y exchanged.
    for other_2HW in (-found_2HW, found_2HW[::-1]):
        assert np.median(np.hypot(*(other_2HW - truth_2HW))[inside]) > 10 * most


def test_a_clip_has_one_flow_between_neighbours_on_the_smaller_grid() -> None:
    frames = np.stack([warped([[1, 0, 2.0 * step], [0, 1, 0]]) for step in range(3)])
    whole_T2HW, half_T2HW = clip_flow(frames, DisFlow()), clip_flow(frames, DisFlow(), downscale=2)
    assert whole_T2HW.shape == (2, 2, HEIGHT, WIDTH)
    assert half_T2HW.shape == (2, 2, HEIGHT // 2, WIDTH // 2)
    assert whole_T2HW[:, 0].median() == pytest.approx(2, abs=0.1)
    assert half_T2HW[:, 0].median() == pytest.approx(1, abs=0.1)


def test_a_static_clip_does_not_flow_and_a_single_frame_has_none() -> None:
    still = np.repeat(warped([[1, 0, 0], [0, 1, 0]])[None], 2, axis=0)
    assert clip_flow(still, DisFlow()).abs().max() < 1e-3
    assert clip_flow(still[:1], DisFlow()).shape == (0, 2, HEIGHT, WIDTH)


def test_a_resized_flow_is_in_pixels_of_its_new_grid() -> None:
    flow_2HW = torch.stack([torch.full((4, 6), 3.0), torch.full((4, 6), -1.0)])
    resized_2HW = resize_flow(flow_2HW, 8, 18)
    torch.testing.assert_close(resized_2HW[0], torch.full((8, 18), 9.0))
    torch.testing.assert_close(resized_2HW[1], torch.full((8, 18), -2.0))


def test_a_flow_that_is_not_finite_or_of_another_clip_is_refused() -> None:
    flow_T2HW = torch.zeros(4, 2, 8, 8)
    check_flow(flow_T2HW, 5, "flow")
    with pytest.raises(InputError, match=r"5 frames need \(4, 2, H, W\)"):
        check_flow(flow_T2HW[:3], 5, "flow")
    flow_T2HW[2, 0, 3, 3] = float("nan")
    with pytest.raises(InputError, match="between frames 2 and 3"):
        check_flow(flow_T2HW, 5, "flow")


def test_raft_without_torchvision_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(InputError) as caught:
        estimator(NoiseConfig(flow=FlowMethod.raft), torch.device("cpu"))
    assert "torchvision" in caught.value.problem
    assert "noise.flow=dis" in caught.value.remedy


def test_simulated_flow_is_no_estimator() -> None:
    with pytest.raises(InputError, match=r"noise\.flow=simulator"):
        estimator(NoiseConfig(flow=FlowMethod.simulator), torch.device("cpu"))


class ConstantFlow(torch.nn.Module):
    """In place of RAFT: the flow that its weights say, in pixels of the frames it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.motion = torch.nn.Parameter(torch.zeros(2))
        self.seen: list[tuple[int, ...]] = []

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> list[torch.Tensor]:
        assert first.shape == second.shape and first.min() >= -1 and second.max() <= 1
        self.seen.append(tuple(first.shape))
        flow = self.motion.view(1, 2, 1, 1).expand(1, 2, *first.shape[-2:])
        return [torch.zeros_like(flow), flow]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[ConstantFlow, Path]:
    """torchvision whose RAFT large is `ConstantFlow`, and a file of its weights: 6 pixels right, 3 up."""
    network = ConstantFlow()
    module = types.ModuleType("torchvision.models.optical_flow")
    module.raft_large = lambda weights: network
    module.Raft_Large_Weights = types.SimpleNamespace(C_T_SKHT_V2="downloaded")
    for name in ("torchvision", "torchvision.models"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    monkeypatch.setitem(sys.modules, "torchvision.models.optical_flow", module)
    save_file({"motion": torch.tensor([6.0, -3.0])}, tmp_path / "raft.safetensors")
    return network, tmp_path / "raft.safetensors"


@pytest.mark.parametrize(("size", "seen"), [((136, 200), (136, 200)), ((96, 132), (128, 136)), ((64, 64), (128, 128))])
def test_raft_sees_sizes_it_can_take_and_answers_in_pixels_of_the_frame(
    stand_in: tuple[ConstantFlow, Path], size: tuple[int, int], seen: tuple[int, int]
) -> None:
    network, weights = stand_in
    estimate = estimator(NoiseConfig(flow=FlowMethod.raft, raft_weights=str(weights)), torch.device("cpu"))
    frame = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    flow_2HW = estimate(frame, frame)
    assert network.seen == [(1, 3, *seen)] and not network.training
    assert flow_2HW.shape == (2, *size) and flow_2HW.dtype == torch.float32
    torch.testing.assert_close(flow_2HW[0], torch.full(size, 6.0 * size[1] / seen[1]))
    torch.testing.assert_close(flow_2HW[1], torch.full(size, -3.0 * size[0] / seen[0]))


def test_weights_of_another_network_are_refused(stand_in: tuple[ConstantFlow, Path], tmp_path: Path) -> None:
    save_file({"other": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match="other"):
        estimator(
            NoiseConfig(flow=FlowMethod.raft, raft_weights=str(tmp_path / "other.safetensors")), torch.device("cpu")
        )
