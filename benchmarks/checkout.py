"""Has `import vggexplorer` find this very checkout, where nothing is installed but PyTorch: to be imported first."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))
