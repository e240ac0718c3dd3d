"""Files from a bucket, a web server or a folder, each brought here once."""

from __future__ import annotations

import http.client
import logging
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from data_gen.assets.once import one_at_a_time
from void.errors import InputError
from void.files import set_aside, sha256_of, whole_file

log = logging.getLogger(__name__)

PAUSES = (1.0, 4.0, 10.0)
"""Seconds to wait before each further try."""
TOO_BUSY = (408, 429, 500, 502, 503, 504)
"""HTTP statuses that pass."""


@dataclass(frozen=True)
class Fetcher:
    """Brings files into a folder, whole or not at all; two processes may want the same one.

    Args:
        folder: where files are kept.
        endpoint: where gs:// addresses are served.
        timeout: seconds a connection may stand still.
    """

    folder: Path
    endpoint: str
    timeout: float

    def fetch(self, address: str) -> Path:
        """The file at `address` (gs://, https://, http:// or a path on this machine, which is used where it lies).

        Raises:
            InputError: it is not there, or the connection fails again and again.
        """
        if "://" not in address:
            if not Path(address).is_file():
                raise InputError(f"{address} does not exist", "check the addresses in assets.*")
            return Path(address)
        folder, _, name = address.rpartition("/")
        target = self.folder / sha256_of(folder)[:12] / name
        with one_at_a_time(target) as missing:
            if missing:
                self._download(address, target)
        return target

    def forget(self, address: str) -> None:
        """Set a broken fetched file aside, so that the next run fetches it again; files of this machine stay."""
        if "://" in address:
            set_aside(self.fetch(address))

    def _download(self, address: str, target: Path) -> None:
        scheme, _, rest = address.partition("://")
        url = f"{self.endpoint.rstrip('/')}/{rest}" if scheme == "gs" else address
        url = urllib.parse.quote(url, safe=":/?=&%")
        for pause in (*PAUSES, None):
            try:
                with whole_file(target) as partial:
                    self._receive(url, partial)
                log.info("fetched %s (%.1f MB)", address, target.stat().st_size / 1e6)
                return
            except InputError:
                raise
            except urllib.error.HTTPError as error:
                if error.code not in TOO_BUSY or pause is None:
                    raise _unreachable(url, f"HTTP status {error.code}") from error
            except ValueError as error:
                raise _unreachable(url, str(error)) from error
            except (OSError, http.client.HTTPException) as error:
                if pause is None:
                    raise _unreachable(url, str(error) or type(error).__name__) from error
            log.warning("%s: no answer, trying again in %.0f s", url, pause)
            time.sleep(pause)

    def _receive(self, url: str, target: Path) -> None:
        with urllib.request.urlopen(url, timeout=self.timeout) as response, target.open("wb") as file:
            shutil.copyfileobj(response, file)
            expected = response.headers.get("Content-Length")
            if expected is not None and file.tell() != int(expected):
                raise http.client.IncompleteRead(b"", int(expected) - file.tell())


def _unreachable(url: str, reason: str) -> InputError:
    return InputError(
        f"{url} cannot be fetched ({reason})",
        "check the network, assets.endpoint and the address; or use assets=local, which needs no network",
    )
