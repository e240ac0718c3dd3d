"""Reading .glb files: the nodes, their transforms over time, meshes and skins. All animations run at once.

glTF 2.0 is Y up; what this module returns is Z up where it says so. Shape legend: T instants, V vertices, F triangles.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation, Slerp

TYPES: dict[int, Any] = {
    5120: np.int8,
    5121: np.uint8,
    5122: np.int16,
    5123: np.uint16,
    5125: np.uint32,
    5126: np.float32,
}
SIZES = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
CHANNELS = {"translation": (0.0, 0.0, 0.0), "rotation": (0.0, 0.0, 0.0, 1.0), "scale": (1.0, 1.0, 1.0)}
"""Properties of a node that move, and what they are by default; quaternions are x, y, z, w."""
MAGIC, JSON_CHUNK = b"glTF", 0x4E4F534A
TRIANGLES = 4
Array = NDArray[np.float64]


class GltfError(ValueError):
    """The file is damaged, or uses what this reader does not know."""


class Gltf:
    """A .glb file.

    Args:
        path: of the file.

    Raises:
        GltfError: it is not a .glb file, or needs an extension such as compressed meshes.
    """

    def __init__(self, path: Path) -> None:
        data = path.read_bytes()
        if data[:4] != MAGIC or len(data) < 20:
            raise GltfError("is not a binary glTF file")
        size, kind = struct.unpack_from("<II", data, 12)
        if kind != JSON_CHUNK:
            raise GltfError("does not begin with a JSON chunk")
        try:
            self.document: dict[str, Any] = json.loads(data[20 : 20 + size])
        except ValueError as error:
            raise GltfError(f"holds no JSON ({error})") from error
        needed = self.document.get("extensionsRequired", [])
        if needed:
            raise GltfError(f"needs {', '.join(needed)}, which this reader does not know")
        self._binary = data[20 + size + 8 :]
        self.nodes: list[dict[str, Any]] = self.document.get("nodes", [])
        self.parents = [-1] * len(self.nodes)
        for index, node in enumerate(self.nodes):
            for child in node.get("children", []):
                self.parents[child] = index
        self._curves = self._read_curves()

    def accessor(self, index: int) -> NDArray[Any]:
        """Numbers of an accessor, `(count, size)`; normalised integers as shares of 1."""
        facts = self.document["accessors"][index]
        if "sparse" in facts or "bufferView" not in facts:
            raise GltfError("has a sparse accessor, which this reader does not know")
        view = self.document["bufferViews"][facts["bufferView"]]
        dtype, size = np.dtype(TYPES[facts["componentType"]]).newbyteorder("<"), SIZES[facts["type"]]
        count = facts["count"]
        stride = view.get("byteStride", dtype.itemsize * size)
        start = view.get("byteOffset", 0) + facts.get("byteOffset", 0)
        if count and start + stride * (count - 1) + dtype.itemsize * size > len(self._binary):
            raise GltfError("ends too early: numbers are missing")
        values = np.ndarray((count, size), dtype, self._binary, start, (stride, dtype.itemsize)).copy()
        if facts.get("normalized"):
            return np.maximum(values / np.iinfo(TYPES[facts["componentType"]]).max, -1.0)
        return values

    @property
    def key_times(self) -> list[Array]:
        """Instants of the keys of every curve, ascending, seconds."""
        return [times for curves in self._curves for times, _, _ in curves.values()]

    def worlds(self, times_T: Array) -> list[Array]:
        """Transforms `(T, 4, 4)` of every node at some instants, Y up."""
        found: dict[int, Array] = {-1: np.eye(4)}
        waiting = list(range(len(self.nodes)))
        while waiting:
            ready = [node for node in waiting if self.parents[node] in found]
            if not ready:
                raise GltfError("has nodes that are their own parents")
            for node in ready:
                found[node] = found[self.parents[node]] @ self._local(node, times_T)
            waiting = [node for node in waiting if node not in found]
        return [found[node] for node in range(len(self.nodes))]

    def _local(self, node: int, times_T: Array) -> Array:
        facts, curves = self.nodes[node], self._curves[node]
        if "matrix" in facts and not curves:
            return np.tile(np.reshape(facts["matrix"], (4, 4)).T.astype(np.float64), (len(times_T), 1, 1))
        values = {
            name: _sampled(curves[name], name, times_T)
            if name in curves
            else np.tile(np.array(facts.get(name, default), np.float64), (len(times_T), 1))
            for name, default in CHANNELS.items()
        }
        local_T44 = np.tile(np.eye(4), (len(times_T), 1, 1))
        local_T44[:, :3, :3] = Rotation.from_quat(values["rotation"]).as_matrix() * values["scale"][:, None]
        local_T44[:, :3, 3] = values["translation"]
        return local_T44

    def _read_curves(self) -> list[dict[str, tuple[Array, Array, str]]]:
        """Keys of each node: property -> instants, values, interpolation."""
        curves: list[dict[str, tuple[Array, Array, str]]] = [{} for _ in self.nodes]
        for animation in self.document.get("animations", []):
            for channel in animation["channels"]:
                node, name = channel["target"].get("node"), channel["target"]["path"]
                if node is None or name not in CHANNELS:
                    continue
                sampler = animation["samplers"][channel["sampler"]]
                kind = sampler.get("interpolation", "LINEAR")
                times = self.accessor(sampler["input"])[:, 0].astype(np.float64)
                values = self.accessor(sampler["output"]).astype(np.float64)
                if kind == "CUBICSPLINE":  # In-tangent, value, out-tangent for each key.
                    values = values.reshape(len(times), 3, -1)[:, 1]
                curves[node][name] = times, values, kind
        return curves

    def primitives(self, mesh: int) -> list[dict[str, Any]]:
        """The parts of a mesh that are made of triangles."""
        return [part for part in self.document["meshes"][mesh]["primitives"] if part.get("mode", 4) == TRIANGLES]

    def triangles(self, primitive: dict[str, Any]) -> NDArray[np.int64]:
        """Corners `(F, 3)` of a primitive's triangles."""
        if "indices" in primitive:
            return self.accessor(primitive["indices"]).astype(np.int64).reshape(-1, 3)
        count = self.document["accessors"][primitive["attributes"]["POSITION"]]["count"]
        return np.arange(count, dtype=np.int64).reshape(-1, 3)


def _sampled(curve: tuple[Array, Array, str], name: str, times_T: Array) -> Array:
    """Values of a property at some instants; before the first key and after the last one it rests."""
    times, values, kind = curve
    inside_T = np.clip(times_T, times[0], times[-1])
    if len(times) == 1:
        return np.tile(values[0], (len(times_T), 1))
    if kind == "STEP":
        return values[np.clip(np.searchsorted(times, inside_T + 1e-6, side="right") - 1, 0, None)]
    if name == "rotation":
        return Slerp(times, Rotation.from_quat(values))(inside_T).as_quat()
    return np.stack([np.interp(inside_T, times, column) for column in values.T], axis=-1)
