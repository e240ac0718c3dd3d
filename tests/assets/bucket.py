"""A bucket on this machine: a small pack behind a web server, and archives that are wrong in one way each."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from data_gen.assets.library import Library
from data_gen.config import AssetsConfig

SKIES = ("city", "courtyard", "forest", "studio", "sunset")
KEPT = ("apple", "bottle_1", "die", "mug_1", "pear", "skittle", "spool", "tin", "toy_car", "trophy")


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder quietly and counts what was asked for; the first `busy` requests are turned away."""

    asked: list[str]
    busy: list[int]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.busy:
            self.send_error(self.busy.pop())
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def served(folder: Path, busy: tuple[int, ...] = ()) -> Iterator[tuple[str, list[str]]]:
    """The address of a server of this folder, and the list of paths it was asked for."""
    asked: list[str] = []
    handler = type("Here", (Handler,), {"asked": asked, "busy": list(busy)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def make_bucket(library: Library, root: Path) -> Path:
    """A copy of the pack's first assets in the layout of Kubric's public bucket: `assets/{GSO,KuBasic,HDRI_haven}`."""
    pack = library.manifests["objects"].file.parent
    for folder, name, kept in (("GSO", "objects", KEPT), ("KuBasic", "backdrops", ("dome",))):
        target = root / "assets" / folder
        target.mkdir(parents=True)
        data = json.loads((pack / f"{name}.json").read_text())
        data["assets"] = {key: data["assets"][key] for key in kept}
        (target / f"{folder}.json").write_text(json.dumps(data))
        for key in kept:
            shutil.copy(pack / f"{key}.tar.gz", target)
    skies = root / "assets" / "HDRI_haven"
    skies.mkdir()
    entries = {}
    for name in SKIES:
        with tarfile.open(skies / f"{name}.tar.gz", "w:gz") as tar:
            tar.add(library.sky_file(name), f"{name}/{name}.exr")
            add_bytes(tar, f"{name}/data.json", b"{}")
        # The published list leaves the mark for the folder out.
        entries[name] = {"asset_type": "Texture", "kwargs": {"filename": f"{name}.exr"}, "metadata": {}}
    (skies / "HDRI_haven.json").write_text(json.dumps({"name": "HDRI_haven", "assets": entries}))
    return root


def add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """Add a file to an archive."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(entry, io.BytesIO(content))


def repack(archive: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Write an archive again with its files changed."""
    with tarfile.open(archive) as tar:
        files = {member.name: reader.read() for member in tar if (reader := tar.extractfile(member))}
    change(files)
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in files.items():
            add_bytes(tar, name, content)


def bucket_config(root: Path, endpoint: str, pack: Path, **changes: object) -> AssetsConfig:
    """`assets=gso` with another endpoint; `root` has the built pack already."""
    root.mkdir(exist_ok=True)
    if not (root / pack.name).exists():
        (root / pack.name).symlink_to(pack)
    values: dict = {"root": str(root), "source": "manifests", "endpoint": endpoint, "timeout": 2.0, "held_out": 0.2}
    return AssetsConfig(**(values | changes))
