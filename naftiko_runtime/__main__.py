"""`python -m naftiko_runtime` is the command `naftiko`."""

import sys

from naftiko_runtime.cli import main

if __name__ == "__main__":
    sys.exit(main())
