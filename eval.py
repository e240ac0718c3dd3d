"""Evaluate: the same as `void eval`."""

from void.cli import main

if __name__ == "__main__":
    main("eval")
