"""Compare this implementation with recorded outputs of the released code, one line a case.

    python tests/parity/run.py FOLDER

FOLDER is laid out as tests/data/golden/README.md says; sizes and weights are free. A file that is absent is named and
not compared. Exits with 1 where a difference is past its tolerance, or where nothing was compared.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from parity.cases import CASES


def run(folder: Path) -> int:
    """Print every case; the exit status."""
    results = []
    for case in CASES:
        files = case.files(folder)
        if not files:
            sys.stdout.write(f"absent  {case.pattern}\n")
        for file in files:
            for result in case.compare(folder, file):
                results.append(result)
                verdict = "ok" if result.passed else "FAILED"
                sys.stdout.write(
                    f"{verdict:6}  {result.name:34}  {result.difference:.1e}  (tolerance {result.tolerance:.1g})\n"
                )
    failed = sum(not result.passed for result in results)
    sys.stdout.write(f"{len(results)} compared, {failed} past tolerance\n")
    return 0 if results and not failed else 1


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_dir():
        sys.exit(f"{__doc__}\nnot a folder: {' '.join(sys.argv[1:])}")
    sys.exit(run(Path(sys.argv[1])))
