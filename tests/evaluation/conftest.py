"""A run to evaluate, made anew for each test that changes it."""

from __future__ import annotations

from pathlib import Path

import pytest
from void_run import make_run

from void.config import VoidConfig


@pytest.fixture
def run(tmp_path: Path) -> VoidConfig:
    """Two pairs with predictions, not evaluated yet."""
    return make_run(tmp_path)
