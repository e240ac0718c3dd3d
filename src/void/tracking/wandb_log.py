"""Which steps the earlier parts of a W&B run hold, read from the `.wandb` files that W&B keeps on disk.

A `.wandb` file is a log of protobuf records in the block format of LevelDB, after a header of seven bytes.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HEADER = b":W&B\xe1\xbe\x00"
BLOCK = 32768
CHUNK_HEADER = struct.Struct("<IHB")
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4

log = logging.getLogger(__name__)


def recorded_steps(folder: Path, run_id: str) -> dict[str, int]:
    """The last step that the parts of a run below `folder` hold, for each group of metrics (`train`, `validation`).

    Args:
        folder: Folder of W&B's files; it may be missing.
        run_id: Id of the run; parts of other runs are passed over.
    """
    last: dict[str, int] = {}
    for path in sorted(folder.glob(f"*run-*/run-{run_id}.wandb")):
        for step, groups in _history(path):
            last |= {group: max(step, last.get(group, step)) for group in groups}
    return last


def group_of(metric: str) -> str:
    """The part of a metric's name before its first slash."""
    return metric.partition("/")[0]


def read_records(path: Path) -> Iterator[Any]:
    """The records of a `.wandb` file (`wandb_internal_pb2.Record`), up to the first one that is cut off."""
    from google.protobuf.message import DecodeError
    from wandb.proto import wandb_internal_pb2

    for encoded in _encoded_records(path):
        record = wandb_internal_pb2.Record()  # type: ignore[attr-defined]
        try:
            record.ParseFromString(encoded)
        except DecodeError:
            log.warning("%s is damaged: what follows its first broken record is not read", path)
            return
        yield record


def _history(path: Path) -> Iterator[tuple[int, set[str]]]:
    for record in read_records(path):
        if record.HasField("history"):
            keys = [item.key or item.nested_key[0] for item in record.history.item]
            yield record.history.step.num, {group_of(key) for key in keys if not key.startswith("_")}


def _encoded_records(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    if not data.startswith(HEADER):
        if data:
            log.warning("%s is not a W&B log that this version reads; its steps may be recorded twice", path)
        return
    at, parts = len(HEADER), b""
    while at + CHUNK_HEADER.size <= len(data):
        left = BLOCK - at % BLOCK
        if left < CHUNK_HEADER.size:
            at += left
            continue
        _, length, kind = CHUNK_HEADER.unpack_from(data, at)
        at += CHUNK_HEADER.size
        if kind not in (FULL, FIRST, MIDDLE, LAST) or at + length > len(data):
            return
        parts += data[at : at + length]
        at += length
        if kind in (FULL, LAST):
            yield parts
            parts = b""
