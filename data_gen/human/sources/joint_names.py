"""What motion-capture systems call the joints that Mixamo has names for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from data_gen.human.retarget import SIDES

HIPS = ("hips", "hip", "pelvis", "root")
NECK, HEAD = ("neck", "neck1"), ("head",)
SPINES = ("Spine", "Spine1", "Spine2")
LIMBS: Mapping[str, tuple[str, ...]] = {
    "Arm": ("arm", "uparm", "upperarm", "shldr", "shoulder"),
    "Shoulder": ("collar", "clavicle", "shoulder"),
    "ForeArm": ("forearm", "lowarm", "lowerarm", "elbow"),
    "Hand": ("wrist", "hand"),
    "UpLeg": ("upleg", "upperleg", "thigh", "hip"),
    "Leg": ("knee", "calf", "shin", "lowleg", "lowerleg", "leg"),
    "Foot": ("ankle", "foot"),
    "ToeBase": ("toebase", "toe0", "toe", "ball", "foot"),
}
"""Names in the order of preference; of two joints that want one name, the first here gets it."""
FINGERS = ("Thumb", "Index", "Middle", "Ring", "Pinky")

_PREFIX = re.compile(r"^mixamorig\d*[:_]?(?=[a-z])", re.IGNORECASE)


def mixamo_bone(name: str) -> str:
    """The name of a bone with Mixamo's prefix as its first figure has it.

    Later figures have numbers in it (`mixamorig9:Hips`), and some exporters leave the colon out (`mixamorigHips`).
    """
    return _PREFIX.sub("mixamorig:", name)


def mixamo_names(names: Sequence[str], parents: Sequence[int]) -> dict[str, int]:
    """Index of the joint that each of Mixamo's names (without its prefix) stands for, as far as they are known.

    Args:
        names: of the joints of a file, such as `LeftUpLeg`, `lThigh`, `Bip01 L Thigh`, `mixamorig:LeftUpLeg`.
        parents: index of each joint's parent.
    """
    bare = [_bare(name) for name in names]
    found: dict[str, int] = {}

    def assign(name: str, wanted: Sequence[str]) -> None:
        for word in wanted:
            if word in bare and bare.index(word) not in found.values():
                found[name] = bare.index(word)
                return

    for side in SIDES:
        for joint, words in LIMBS.items():
            assign(f"{side}{joint}", [spelt for word in words for spelt in _spellings(side, word)])
        for finger in FINGERS:
            for k in range(1, 5):
                assign(f"{side}Hand{finger}{k}", _spellings(side, f"hand{finger.lower()}{k}"))
    assign("Hips", HIPS)
    assign("Head", HEAD)
    assign("Neck", NECK)
    if "Hips" in found and "Head" in found:
        chain: list[int] = []
        above = parents[found["Head"]]
        while above >= 0 and above != found["Hips"]:
            if above != found.get("Neck"):
                chain.insert(0, above)
            above = parents[above]
        spines = [*chain[:1], *chain[1:-1][:1], *chain[1:][-1:]]
        wanted = SPINES if len(spines) == len(SPINES) else (SPINES[0], SPINES[-1])
        found.update(zip(wanted, spines, strict=False))
    return found


def _bare(name: str) -> str:
    last = re.sub(r"^bip0*1\s*", "", name.split(":")[-1].lower())
    return re.sub(r"[^a-z0-9]", "", last)


def _spellings(side: str, word: str) -> list[str]:
    side = side.lower()
    return [f"{side}{word}", f"{side[0]}{word}", f"{word}{side}", f"{word}{side[0]}"]
