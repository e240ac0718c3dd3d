"""`python -m void`, for where the `void` script is not on the path."""

from void.cli import main

main()
