"""`python -m vggexplorer` is the command `vggexplorer`."""

import sys

from vggexplorer.cli import main

if __name__ == "__main__":
    sys.exit(main())
