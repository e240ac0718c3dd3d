"""Building and opening the latent cache.

cache.root/
  <content key>/                     one for each distinct content: see void.cache.key
    shard-00000-<shard key>.safetensors
    ...
    null-text.safetensors            embedding of the empty caption
    index.json                       written last: a cache without it is unfinished
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from void.cache.key import INDEX, VARIANTS, content_key, find_finished, ingredients, shard_key
from void.config import VoidConfig
from void.errors import InputError
from void.files import is_our_json, read_json, remove_partials, remove_written, write_json
from void.lock import sole_writer
from void.manifest import ManifestRow, read_manifest
from void.progress import progress_bar
from void.provenance import write_manifest_again

if TYPE_CHECKING:
    from torch import Tensor

    from void.cache.shards import CachedPair, ShardContents
    from void.pairs import Pair

log = logging.getLogger(__name__)

NULL_TEXT = "null-text.safetensors"


class Cache:
    """A finished cache, opened for reading.

    Args:
        folder: the folder named by the content key.
        index: its index.json.
        manifest: rows of the manifest it was made from.
    """

    def __init__(self, folder: Path, index: dict[str, Any], manifest: list[ManifestRow]) -> None:
        self.folder = folder
        self.key: str = index["key"]
        self.failures: dict[str, str] = index["failures"]
        """Reason for each pair that was set aside."""
        self._shard_of = {pair_id: name for name, ids in index["shards"].items() for pair_id in ids}
        self.rows = [row for row in manifest if row.id in self._shard_of]
        """Manifest rows that have an entry."""
        self.variants: int = index["ingredients"][VARIANTS]
        """Noise variants of each input clip; 1: the clean clip alone."""

    def entry(self, pair_id: str, variant: int | None = None) -> CachedPair:
        """The tensors of one pair, float32, with all variants of the input clip, or only one (V = 1).

        `KeyError` where the pair was set aside or never existed.
        """
        from void.cache.shards import read_pair_tensors

        variants = slice(None) if variant is None else slice(variant, variant + 1)
        return read_pair_tensors(self.folder / self._shard_of[pair_id], pair_id, variants)

    @property
    def null_text(self) -> Tensor:
        """The embedding `(L, D)` of the empty caption, float32."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from void.cache.shards import REMEDY

        try:
            return load_file(self.folder / NULL_TEXT)["text"].float()
        except (SafetensorError, OSError, KeyError) as error:
            raise InputError(f"{self.folder / NULL_TEXT} cannot be read ({error})", REMEDY) from error


def open_cache(cfg: VoidConfig) -> Cache:
    """Open the cache that belongs to this configuration's pairs, geometry and frozen networks.

    Raises:
        InputError: there is none; what differs from the caches that do exist is named.
    """
    rows = read_manifest(Path(cfg.data.root))
    made_from = ingredients(cfg, rows)
    root = Path(cfg.cache.root)
    index = find_finished(root, made_from, "ingredients", "latent cache")
    return Cache(root / index["key"], index, rows)


def build_cache(cfg: VoidConfig) -> Cache:
    """Encode every pair of the manifest that is not encoded yet, and return the finished cache.

    A pair that cannot be read is set aside with its reason; a later run tries it again.

    Raises:
        InputError: the manifest is missing, or more than `cache.max_failures` pairs are bad.
    """
    rows = read_manifest(Path(cfg.data.root))
    made_from = ingredients(cfg, rows)
    folder = Path(cfg.cache.root) / content_key(made_from)
    with sole_writer(folder):
        return _build(cfg, rows, made_from, folder)


def _build(cfg: VoidConfig, rows: list[ManifestRow], made_from: dict[str, Any], folder: Path) -> Cache:
    if (folder / INDEX).is_file():
        cache = Cache(folder, read_json(folder / INDEX), rows)
        if not _mended(cfg, rows, cache.failures):
            log.info("latent cache %s is complete: %d pairs", folder, len(cache.rows))
            return cache
    # Imported here because torch takes seconds to load, and a finished cache needs none of it.
    from void.cache.shards import read_contents

    plan = {
        f"shard-{number:05d}-{shard_key(made_from, [row.id for row in part])}.safetensors": part
        for number, part in enumerate(_parts(rows, cfg.cache.pairs_per_shard))
    }
    remove_partials(folder)
    done = {name: read_contents(folder / name) for name in plan if (folder / name).is_file()}
    done = {name: contents for name, contents in done.items() if not _mended(cfg, plan[name], contents.failures)}
    _encode_missing(cfg, folder, plan, done)
    failures = {pair_id: reason for contents in done.values() for pair_id, reason in contents.failures.items()}
    index = {
        "key": folder.name,
        "ingredients": made_from,
        "shards": {name: done[name].ids for name in plan},
        "failures": failures,
    }
    write_json(folder / INDEX, index, earlier=is_our_json(*index))
    for shard in folder.glob("shard-*"):
        if shard.name not in plan:
            remove_written(shard)
    log.info("latent cache %s: %d pairs, %d set aside", folder, len(rows) - len(failures), len(failures))
    return Cache(folder, index, rows)


def _parts(rows: list[ManifestRow], size: int) -> list[list[ManifestRow]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _read(cfg: VoidConfig, row: ManifestRow) -> Pair:
    """The pair of a row; its files must be those the manifest, and with it the cache's key, speaks of."""
    from void.pairs import read_pair

    folder = Path(cfg.data.root) / row.path
    pair = read_pair(folder, verify=True)
    if pair.metadata["checksums"] != row.checksums:
        raise InputError(f"{folder} is not the pair its manifest row describes", write_manifest_again(folder))
    return pair


def _mended(cfg: VoidConfig, rows: list[ManifestRow], failures: dict[str, str]) -> bool:
    """Whether one of `rows` that had to be set aside can be read now."""
    for row in rows:
        if row.id in failures:
            try:
                _read(cfg, row)
            except InputError:
                continue
            return True
    return False


def _over_budget(cfg: VoidConfig, failed: int, row: ManifestRow, last: InputError) -> InputError:
    budget = f"cache.max_failures = {cfg.cache.max_failures}"
    return InputError(
        f"{failed} defective pairs are more than {budget}; the last is {row.id}: {last.problem}",
        f"{last.remedy}; `void doctor data={cfg.data.root}` lists every defect;"
        " or raise cache.max_failures to go on without such pairs",
    )


def _encode_missing(
    cfg: VoidConfig, folder: Path, plan: dict[str, list[ManifestRow]], done: dict[str, ShardContents]
) -> None:
    """Write the shards of `plan` that are not in `done`, and add them to it."""
    # Only now: a finished cache is recognised without loading any network.
    from void.cache.encode import EMPTY_CAPTION, Encoder
    from void.cache.shards import DTYPES, ShardContents, write_shard
    from void.device import torch_device
    from void.tensor_files import write_tensors

    encoder = Encoder(cfg, torch_device(cfg.device))
    if not (folder / NULL_TEXT).is_file():
        write_tensors(folder / NULL_TEXT, {"text": encoder.text(EMPTY_CAPTION)}, dtype=DTYPES[cfg.cache.dtype])
    total = sum(len(rows) for rows in plan.values())
    ready = sum(len(plan[name]) for name in done)
    failed = sum(len(contents.failures) for contents in done.values())
    with progress_bar("caching pairs", total, ready) as advance:
        for name in (name for name in plan if name not in done):
            pairs: dict[str, CachedPair] = {}
            failures: dict[str, str] = {}
            for row in plan[name]:
                try:
                    pairs[row.id] = encoder.encode(_read(cfg, row), row.caption, row.id)
                except InputError as error:
                    failures[row.id] = error.problem
                    log.warning("pair %s set aside: %s", row.id, error.problem)
                    if failed + len(failures) > cfg.cache.max_failures:
                        raise _over_budget(cfg, failed + len(failures), row, error) from error
                advance()
            write_shard(folder / name, pairs, failures, DTYPES[cfg.cache.dtype])
            failed += len(failures)
            done[name] = ShardContents(list(pairs), failures)
