"""`python -m vggexplorer.pytorch.train RUN_DIR`: train the run in a folder, in this process."""

import sys

from vggexplorer.runs.trainer.worker import main

# The worker waits for the device first, and loads `loop` (and PyTorch) when its turn has come.
if __name__ == "__main__":
    sys.exit(main(sys.argv))
