"""Ways in which a file of a user can be broken: all drawn from a seeded generator."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

HUGE = 2**24
"""Bytes that a file grows by."""
SWAPS = {
    "text": b"This is a text, and nothing else.\n",
    "JSON": b'{"bg": [1, 2, {"deep": null}]}',
    "list": b"[1, 2, 3]",
    "number": b"1e999",
    "picture": bytes.fromhex("89504e470d0a1a0a0000000d49484452"),
    "archive": b"PK\x03\x04" + bytes(60),
    "header": (2**62).to_bytes(8, "little") + b"{}",
    "UTF-16": '{"bg": "a wall"}'.encode("utf-16"),
    "zeros": bytes(4096),
}


def truncated(file: Path, random: random.Random) -> None:
    """Cut the file off somewhere."""
    content = file.read_bytes()
    file.write_bytes(content[: random.randrange(len(content))])


def bit_flipped(file: Path, random: random.Random) -> None:
    """Flip up to 64 bits."""
    content = bytearray(file.read_bytes())
    for _ in range(2 ** random.randrange(7)):
        content[random.randrange(len(content))] ^= 1 << random.randrange(8)
    file.write_bytes(content)


def renamed(file: Path, random: random.Random) -> None:
    """Give the file another name or suffix."""
    name = random.choice(
        [f"{file.stem}.bak", f"{file.stem}.MOV", f"{file.stem}.txt", f"copy of {file.name}", "ü 1.bin"]
    )
    file.rename(file.with_name(name))


def swapped(file: Path, random: random.Random) -> None:
    """Put something else under the name: another file of the same folder, or bytes of another kind."""
    others = sorted(path for path in file.parent.iterdir() if path.is_file() and path != file)
    contents = [*SWAPS.values(), *(path.read_bytes() for path in others)]
    file.write_bytes(random.choice(contents))


def huge(file: Path, random: random.Random) -> None:
    """Let the file grow by 16 MiB, at the end, in the middle or by repetition."""
    content = file.read_bytes()
    at = random.choice([0, len(content) // 2, len(content)])
    filling = random.choice([bytes(HUGE), b"[" * HUGE, b" " * HUGE, content * (HUGE // max(1, len(content)))])
    file.write_bytes(content[:at] + filling + content[at:])


def empty(file: Path, random: random.Random) -> None:
    """Leave nothing of the file, or a folder of its name."""
    file.unlink()
    if random.random() < 0.3:
        file.mkdir()
    else:
        file.touch()


MUTATIONS: tuple[Callable[[Path, random.Random], None], ...] = (truncated, bit_flipped, renamed, swapped, huge, empty)
