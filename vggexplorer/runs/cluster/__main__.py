"""`python -m vggexplorer.runs.cluster`: see `holder`."""

import sys

from vggexplorer.runs.cluster.holder import main

if __name__ == "__main__":
    sys.exit(main(sys.argv))
