"""``python -m neuroclass``."""

import sys

if sys.version_info[:2] != (3, 11):
    sys.exit(f"NeuroClass needs Python 3.11 (allensdk has no release for another); this is {sys.version.split()[0]}.")

from neuroclass.cli import main

if __name__ == "__main__":
    sys.exit(main())
