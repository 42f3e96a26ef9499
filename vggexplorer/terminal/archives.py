"""`vggexplorer export` and `import`: a run as one file, and a run out of one."""

import argparse
from pathlib import Path

from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.formatting import size
from vggexplorer.runs.folder import archive
from vggexplorer.runs.folder.runs import Runs


def export_run(options: argparse.Namespace) -> int:
    """Write the archive of a run."""
    runs = Runs.at(options.runs)
    if (run := runs.get(options.run)) is None:
        raise InputError(
            "There is no run {id} in {path}; `vggexplorer runs` lists those there are.",
            id=shown(options.run),
            path=shown(str(runs.path), 200),
        )
    path = Path(options.file or f"{run.id}.zip")
    if path.exists():
        raise InputError("There is {path} already; name another file.", path=shown(str(path), 200))
    archive.pack(run, path, checkpoint=options.checkpoint)
    print(f"{path} has the run, {size(path.stat().st_size)}.")
    return 0


def import_run(options: argparse.Namespace) -> int:
    """Put the run of an archive among the others."""
    brought = archive.bring(Runs.at(options.runs), Path(options.file))
    print(f"The run is there {'already' if brought.known else 'now'}: {brought.run.id}")
    return 0
