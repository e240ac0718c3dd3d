"""The order of training samples: a pure function of `(seed, position)`, so a resumed run needs only its step number.

The samples of all epochs form one endless stream; epoch e of it is a permutation drawn from `(seed, e)`. Step s takes
the next `processes x batch_size` positions for each micro-batch, and process r takes the r-th part of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.utils.data import Sampler

from void.data.randomness import generator


@dataclass(frozen=True)
class SampleKey:
    """One visit to one sample."""

    epoch: int
    index: int


class SampleOrder:
    """The endless stream of samples.

    Args:
        size: samples in an epoch.
        seed: seed of the permutations.
    """

    def __init__(self, size: int, seed: int) -> None:
        assert size > 0
        self.size = size
        self.seed = seed
        self._epoch = -1
        self._permutation: list[int] = []

    def at(self, position: int) -> SampleKey:
        """The sample at a position of the stream, counted from 0."""
        epoch, place = divmod(position, self.size)
        if epoch != self._epoch:
            self._permutation = torch.randperm(self.size, generator=generator(self.seed, "order", epoch)).tolist()
            self._epoch = epoch
        return SampleKey(epoch, self._permutation[place])


class StepBatches(Sampler[list[SampleKey]]):
    """The micro-batches of one process, in order, for steps `first_step` to `last_step` (from 1, both included).

    A step has `accumulation` micro-batches. To be given to a `DataLoader` as its `batch_sampler`.
    """

    def __init__(
        self,
        order: SampleOrder,
        *,
        first_step: int,
        last_step: int,
        batch_size: int,
        accumulation: int = 1,
        rank: int = 0,
        processes: int = 1,
    ) -> None:
        assert first_step >= 1 and 0 <= rank < processes
        self.order = order
        self.first = (first_step - 1) * accumulation
        self.end = last_step * accumulation
        self.batch_size = batch_size
        self.rank = rank
        self.processes = processes

    def __len__(self) -> int:
        return max(0, self.end - self.first)

    def __iter__(self) -> Iterator[list[SampleKey]]:
        for micro in range(self.first, self.end):
            start = (micro * self.processes + self.rank) * self.batch_size
            yield [self.order.at(position) for position in range(start, start + self.batch_size)]
