"""Which objects may fall, as a file says: HUMOTO's physics_config.json.

`{sequence: {"static_objects": [...], "physics_objects": [...], "all_objects": [...], "notes": str}}`
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_gen.human.motion import Motion, SequenceError
from void.errors import InputError
from void.files import read_json

LISTS = ("static_objects", "physics_objects", "all_objects")


class PhysicsConfig:
    """The objects that may fall, by sequence.

    Args:
        entries: names of the dynamic and of all objects of each sequence.
        file: that they are from.
    """

    def __init__(self, entries: Mapping[str, tuple[frozenset[str], frozenset[str]]], file: Path) -> None:
        self._entries = entries
        self._file = file

    def dynamic(self, motion: Motion) -> tuple[int, ...] | None:
        """Indices of the motion's objects that are listed as dynamic; None: the sequence has no entry.

        Raises:
            SequenceError: an object of the entry is none of the motion's.
        """
        if motion.sequence not in self._entries:
            return None
        dynamic, everything = self._entries[motion.sequence]
        names = [prop.name for prop in motion.props]
        unknown = sorted(everything - set(names))
        if unknown:
            raise SequenceError(
                motion.sequence,
                "physics_config",
                f"names {', '.join(unknown)}; its objects are {', '.join(names)}",
                f"mend or remove the entry in {self._file}",
            )
        return tuple(i for i, name in enumerate(names) if name in dynamic)


def read_physics_config(path: str | Path) -> PhysicsConfig:
    """Read and check the file.

    Raises:
        InputError: missing, not JSON, another schema, an object in both lists, or lists that are not `all_objects`.
    """
    file = Path(path).expanduser()
    data = read_json(file)
    if not isinstance(data, dict) or "sequences" in data:
        raise InputError(
            f"{file} has the schema of HUMOTO's generate_physics_config ({{'sequences': ...}}), or none",
            f"give a file that maps each sequence to the lists {', '.join(LISTS)}",
        )
    return PhysicsConfig({sequence: _entry(file, sequence, entry) for sequence, entry in data.items()}, file)


def _entry(file: Path, sequence: str, entry: Any) -> tuple[frozenset[str], frozenset[str]]:
    def wrong(problem: str) -> InputError:
        return InputError(f"{file}: {sequence}: {problem}", "mend the entry, or remove it to infer what may fall")

    if not isinstance(entry, dict):
        raise wrong(f"is {type(entry).__name__}, not an object")
    for name in LISTS:
        value = entry.get(name)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise wrong(f"{name} is not a list of names")
    static, dynamic, everything = (frozenset(entry[name]) for name in LISTS)
    if static & dynamic:
        raise wrong(f"{', '.join(sorted(static & dynamic))} in static_objects and physics_objects")
    if static | dynamic != everything:
        differing = sorted((static | dynamic) ^ everything)
        raise wrong(f"all_objects is not the other two together: {', '.join(differing)}")
    return dynamic, everything
