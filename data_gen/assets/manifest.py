"""Kubric's manifests: which assets there are, where their archives lie, how they are made."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from void.errors import InputError
from void.files import sha256_file, sha256_of
from void.text import read_text

ASSET_TYPES = ("FileBasedObject", "Texture")
ASSET_DIR = "{asset_dir}/"
MIN_SIDE = 1e-6
"""Metres; a bounding box with a shorter side has no volume."""


@dataclass(frozen=True)
class Entry:
    """One asset of a manifest."""

    id: str
    asset_type: str
    archive: str | None
    """Address of its tarball; None: there is nothing to unpack."""
    kwargs: Mapping[str, Any]
    metadata: Mapping[str, Any]

    @property
    def bounds(self) -> tuple[list[float], list[float]]:
        """Lower and upper corner at scale 1, metres."""
        low, high = self.kwargs["bounds"]
        return low, high


@dataclass(frozen=True)
class Manifest:
    """A manifest on this machine."""

    file: Path
    address: str
    """Where it came from."""
    name: str
    entries: Mapping[str, Entry]
    """By id, in their order."""

    def describe(self) -> dict[str, Any]:
        """Facts for the record of a data set."""
        return {
            "address": self.address,
            "name": self.name,
            "assets": len(self.entries),
            "sha256": sha256_file(self.file),
        }

    @cached_property
    def digest(self) -> str:
        """Changes with the assets, but not with where the files lie."""

        def bare(value: Any) -> Any:
            if isinstance(value, dict):
                return {key: bare(item) for key, item in value.items()}
            return value.rpartition("/")[2] if isinstance(value, str) else value

        assets = {key: [entry.asset_type, bare(entry.kwargs), entry.metadata] for key, entry in self.entries.items()}
        return sha256_of([self.name, assets])


def read_manifest(file: Path, address: str, ignore: frozenset[str] = frozenset()) -> Manifest:
    """Read and check a manifest.

    Args:
        file: the manifest.
        address: where it came from; archives lie beside it unless it says otherwise (`data_dir`).
        ignore: ids to leave out, unchecked.

    Raises:
        InputError: it is not JSON, has not Kubric's form, or an object has no volume.
    """
    remedy = f"give the address of a manifest in Kubric's form; delete {file} if it was damaged on its way"
    try:
        data = json.loads(read_text(file))
    except InputError as error:
        raise InputError(f"{address} is not JSON ({error.problem})", remedy) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{address} is not JSON ({error})", remedy) from error
    if not isinstance(data, dict) or not isinstance(data.get("assets"), dict):
        raise InputError(f"{address} has no table 'assets'", remedy)
    folder = str(data.get("data_dir") or address.rpartition("/")[0])
    if "://" not in folder and not folder.startswith("/"):
        folder = f"{address.rpartition('/')[0]}/{folder}"
    items = sorted(item for item in data["assets"].items() if item[0] not in ignore)
    entries = {name: _entry(name, item, folder, address) for name, item in items}
    return Manifest(file, address, str(data.get("name", file.stem)), entries)


def _entry(name: str, item: Any, folder: str, address: str) -> Entry:
    where = f"{address}: asset {name}"
    remedy = f"mend the manifest, or leave the asset out: assets.exclude=[{name}]"
    if "/" in name or name in (".", "..") or not isinstance(item, dict):
        raise InputError(f"{where} is no asset of a manifest in Kubric's form", remedy)
    asset_type = item.get("asset_type")
    if asset_type not in ASSET_TYPES:
        raise InputError(f"{where}: asset_type = {asset_type!r}, but Kubric has {', '.join(ASSET_TYPES)}", remedy)
    kwargs, metadata, path = item.get("kwargs"), item.get("metadata", {}), item.get("path", "")
    if not isinstance(kwargs, dict) or not isinstance(metadata, dict) or not isinstance(path, str | None):
        raise InputError(f"{where}: kwargs, metadata or path have the wrong type", remedy)
    if asset_type == "FileBasedObject":
        _check_object(where, kwargs, remedy)
    elif not isinstance(kwargs.get("filename"), str):
        raise InputError(f"{where} names no image (kwargs.filename)", remedy)
    archive = None if path is None else f"{folder}/{path or f'{name}.tar.gz'}"
    return Entry(name, asset_type, archive, kwargs, metadata)


def _check_object(where: str, kwargs: dict[str, Any], remedy: str) -> None:
    if not isinstance(kwargs.get("render_filename"), str):
        raise InputError(f"{where} names no visible mesh (kwargs.render_filename)", remedy)
    if not isinstance(kwargs.get("simulation_filename"), str):
        raise InputError(f"{where} has no collision mesh (kwargs.simulation_filename)", remedy)
    bounds = kwargs.get("bounds")
    try:
        low, high = ([float(value) for value in corner] for corner in bounds)  # type: ignore[union-attr]
        sides = [b - a for a, b in zip(low, high, strict=True)]
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: bounds = {bounds}, not two corners", remedy) from error
    if len(sides) != 3 or not all(math.isfinite(side) and side > MIN_SIDE for side in sides):
        raise InputError(f"{where} has no volume: bounds = {bounds}", remedy)
