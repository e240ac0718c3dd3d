"""Fine-tune: the same as `void train`, as a script that `accelerate launch` and `torchrun` can start."""

from void.cli import main

if __name__ == "__main__":
    main("train")
