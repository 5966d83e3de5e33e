"""``python -m neuroclass``."""

import sys

from neuroclass.cli import main

if __name__ == "__main__":
    sys.exit(main())
