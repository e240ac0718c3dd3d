"""The assets of a data set, ready to draw from and to put into Kubric scenes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_gen.assets.fetch import Fetcher
from data_gen.assets.manifest import Entry, Manifest, read_manifest
from data_gen.assets.names import noun
from data_gen.assets.pack import MANIFESTS, build_pack
from data_gen.assets.unpack import unpacked
from data_gen.blender.kubric_compat import load_kubric
from data_gen.config import AssetsConfig
from void.errors import InputError
from void.files import sha256_of
from void.limits import recheck

Vector = tuple[float, float, float]

SPLITS = ("train", "val")
MIN_OBJECTS = 2
"""In each split."""


@dataclass(frozen=True)
class Shape:
    """What sampling must know of a shape."""

    id: str
    name: str
    """The word for it in captions."""
    tags: frozenset[str]
    low: Vector
    """Bounding box at scale 1, metres, about its centre of mass."""
    high: Vector
    textured: bool
    """It has colours of its own."""

    @property
    def extents(self) -> NDArray[np.float64]:
        """Sides of the bounding box."""
        return np.subtract(self.high, self.low)


PRIMITIVES = {
    "cube": Shape("cube", "block", frozenset(("primitive", "box", "flat_top")), (-1.0,) * 3, (1.0,) * 3, False),
    "sphere": Shape("sphere", "ball", frozenset(("primitive", "ball")), (-1.0,) * 3, (1.0,) * 3, False),
}
"""Kubric's own shapes, which have no files. The cube takes any three scale factors."""


@dataclass(frozen=True)
class Library:
    """Shapes and skies to draw from, of both splits or of one, and the way to their files."""

    shapes: Mapping[str, Shape]
    """By id, in order."""
    skies: tuple[str, ...]
    """Ids of environment images, in order."""
    held_out: Mapping[str, frozenset[str]]
    """Ids of the `objects` and of the `skies` that only validation scenes use."""
    manifests: Mapping[str, Manifest]
    """By what they list (see `pack.MANIFESTS`)."""
    config: AssetsConfig

    def split(self, split: str) -> Library:
        """The assets of `train` or `val` scenes. Primitives and structures are in both."""
        if self.config.held_out == 0:
            return self

        def wanted(kind: str, asset: str) -> bool:
            return (asset in self.held_out[kind]) == (split == "val")

        shapes = {key: item for key, item in self.shapes.items() if "object" not in item.tags or wanted("objects", key)}
        return replace(self, shapes=shapes, skies=tuple(sky for sky in self.skies if wanted("skies", sky)))

    @property
    def version(self) -> str:
        """Changes with any of the manifests, but not with the folder they are in."""
        return sha256_of({kind: manifest.digest for kind, manifest in self.manifests.items()})[:12]

    def create(self, asset: str, **traits: Any) -> Any:
        """A Kubric object; its files are fetched and unpacked into the assets' folder at first use.

        Args:
            asset: id of a shape.
            traits: of the Kubric object: scale (three factors, equal but for the cube), position, mass, ...

        Raises:
            InputError: its archive cannot be fetched, or is broken.
        """
        kubric = load_kubric()
        if asset in PRIMITIVES:
            return {"cube": kubric.Cube, "sphere": kubric.Sphere}[asset](**traits)
        kind = "objects" if asset in self.manifests["objects"].entries else "structures"
        return self._file_based(kind, asset, traits)

    def dome(self, **traits: Any) -> Any:
        """Kubric's backdrop as a Kubric object; `traits` and errors as in `create`."""
        return self._file_based("backdrops", "dome", traits)

    def sky_file(self, sky: str) -> str:
        """File of an environment image, fetched at first use.

        Raises:
            InputError: it cannot be fetched, or is broken.
        """
        return str(self._files("skies", sky)["filename"])

    def describe(self) -> dict[str, Any]:
        """Facts for the record of a data set: source, version, names, manifests and their checksums."""
        return {
            "source": self.config.source,
            "version": self.version,
            "names": sorted({shape.name for shape in self.shapes.values() if "object" in shape.tags}),
            "objects": sum("object" in shape.tags for shape in self.shapes.values()),
            "skies": list(self.skies),
            "held_out": {kind: sorted(assets) for kind, assets in self.held_out.items()},
            "manifests": {kind: manifest.describe() for kind, manifest in self.manifests.items()},
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-able form, by which a process that shares the disk finds everything again."""
        return {
            "config": asdict(self.config),
            "shapes": list(self.shapes),
            "skies": list(self.skies),
            "held_out": {kind: sorted(assets) for kind, assets in self.held_out.items()},
            "manifests": {kind: [str(item.file), item.address] for kind, item in self.manifests.items()},
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Library:
        """The inverse of `to_dict`."""
        config = AssetsConfig(**data["config"])
        manifests = {
            kind: read_manifest(Path(file), address, frozenset(config.exclude))
            for kind, (file, address) in data["manifests"].items()
        }
        shapes = _shapes(manifests)
        return cls(
            {key: shapes[key] for key in data["shapes"]},
            tuple(data["skies"]),
            {kind: frozenset(assets) for kind, assets in data["held_out"].items()},
            manifests,
            config,
        )

    def _files(self, kind: str, asset: str) -> dict[str, Any]:
        """Kubric's arguments of an asset, whose files are unpacked once for each state of the manifest."""
        manifest = self.manifests[kind]
        folder = Path(self.config.root) / "unpacked" / sha256_of([manifest.address, manifest.digest])[:12]
        folder.mkdir(parents=True, exist_ok=True)
        return unpacked(manifest.entries[asset], _fetcher(self.config), folder)

    def _file_based(self, kind: str, asset: str, traits: Mapping[str, Any]) -> Any:
        return load_kubric().FileBasedObject(asset_id=asset, **{**self._files(kind, asset), **traits})


def open_library(config: AssetsConfig) -> Library:
    """Build the embedded pack, or fetch the manifests, into `config.root` and check them.

    Raises:
        InputError: an unknown source or name, a manifest that cannot be fetched or is not one, too few assets.
    """
    recheck(config, "assets")
    chosen = {"objects": config.objects, "skies": config.skies, "backdrops": config.backdrops}
    addresses = chosen if config.source == "manifests" else {}
    built = [kind for kind in MANIFESTS if kind not in addresses]
    pack = build_pack(Path(config.root), tuple(built))
    addresses = {kind: addresses.get(kind, str(pack / f"{kind}.json")) for kind in MANIFESTS}
    fetcher, ignore = _fetcher(config), frozenset(config.exclude)
    manifests = {}
    for kind, address in addresses.items():
        address = address if "://" in address else str(Path(address).expanduser().resolve())
        manifests[kind] = read_manifest(fetcher.fetch(address), address, ignore)
    if "dome" not in manifests["backdrops"].entries:
        raise InputError(f"{config.backdrops} has no asset 'dome'", "give assets.backdrops Kubric's KuBasic manifest")
    skies = tuple(manifests["skies"].entries)
    held_out = {kind: _held_out(manifests[kind], config.held_out) for kind in ("objects", "skies")}
    library = Library(_chosen(_shapes(manifests), config), skies, held_out, manifests, config)
    _check_splits(library)
    return library


def _fetcher(config: AssetsConfig) -> Fetcher:
    return Fetcher(Path(config.root) / "fetched", config.endpoint, config.timeout)


def _held_out(manifest: Manifest, fraction: float) -> frozenset[str]:
    """The ids that Kubric's own rule holds out."""
    listed = SimpleNamespace(all_asset_ids=sorted(manifest.entries))
    _, held_out = load_kubric().AssetSource.get_test_split(listed, fraction)
    return frozenset(str(asset) for asset in held_out)


def _shapes(manifests: Mapping[str, Manifest]) -> dict[str, Shape]:
    meshes = {**manifests["objects"].entries, **manifests["structures"].entries}
    return dict(sorted((PRIMITIVES | {key: _shape(entry) for key, entry in meshes.items()}).items()))


def _shape(entry: Entry) -> Shape:
    (x0, y0, z0), (x1, y1, z1) = entry.bounds
    tags = frozenset(entry.metadata.get("tags", ("object",)))
    textured = bool(entry.metadata.get("textured", True))
    return Shape(entry.id, noun(entry), tags, (x0, y0, z0), (x1, y1, z1), textured)


def _chosen(shapes: Mapping[str, Shape], config: AssetsConfig) -> dict[str, Shape]:
    """The shapes whose names were asked for; what is not an object is always there."""
    names = {shape.name for shape in shapes.values() if "object" in shape.tags}
    unknown = sorted(set(config.names) - names)
    if unknown:
        raise InputError(f"assets.names: {', '.join(unknown)} unknown", f"names are {', '.join(sorted(names))}")
    wanted = set(config.names) or names
    return {key: shape for key, shape in shapes.items() if "object" not in shape.tags or shape.name in wanted}


def _check_splits(library: Library) -> None:
    for split in SPLITS:
        part = library.split(split)
        objects = sum("object" in shape.tags for shape in part.shapes.values())
        if objects < MIN_OBJECTS or not part.skies:
            raise InputError(
                f"{split} scenes would have {objects} objects (at least {MIN_OBJECTS}) and {len(part.skies)} skies "
                f"(at least 1) with assets.held_out = {library.config.held_out}",
                "give manifests with more assets, more assets.names, or assets.held_out=0 (both splits have all)",
            )
