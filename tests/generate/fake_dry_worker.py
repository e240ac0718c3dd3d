"""A dry worker without simulators: `fake_dry_worker.py BEHAVIOUR REQUEST.json` judges scenes by their index.

BEHAVIOUR is JSON: {"crash": [indices], "bad_asset": [indices]}: a chunk with such a scene fails.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from data_gen.dry_worker import Chunk
from data_gen.executors.child import serve

NOTHING: dict[str, Any] = {"facts": {}, "unusable": {}}


def judged(index: int, family: str) -> dict[str, Any]:
    """Every third scene needs two more draws, every tenth is never accepted."""
    if index % 10 == 9:
        return {"family": family, "accepted": False, "attempts": 60, "reasons": {"no_contact": 60}} | NOTHING
    rejected = {"no_effect": 2} if index % 3 == 0 else {}
    facts = {"objects": 3 + index % 2, "removed": 1, "contacts": index, "max_speed": index / 10}
    attempts = 1 + sum(rejected.values())
    return {"family": family, "accepted": True, "attempts": attempts, "reasons": rejected} | NOTHING | {"facts": facts}


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """See the module."""
    chunk, behaviour = Chunk(**request), json.loads(sys.argv[1])
    indices = {index for index, *_ in chunk.scenes}
    if indices & set(behaviour.get("crash", [])):
        raise RuntimeError("the physics engine is gone")
    if indices & set(behaviour.get("bad_asset", [])):
        return {"error": ["mug.tar.gz is broken", "delete it"]}
    scenes = [judged(index, family) for index, _, family, _ in chunk.scenes]
    return {"scenes": scenes, "seconds": 0.5 * len(scenes), "mib": [100.0, 104.0]}


if __name__ == "__main__":
    serve(answer)
