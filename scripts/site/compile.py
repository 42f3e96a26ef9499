"""Within Pyodide: in each zip file of the list `files`, put a compiled module in the place of each source."""

import importlib.util
import marshal
import zipfile
from pathlib import Path

AS_TEXT = ("streamlit_app.py", "vggexplorer/app.py", "vggexplorer/pages/", "anyio/__init__.py")
"""Streamlit reads its scripts itself, anyio its own list of names, and `paths.root` looks for app.py."""
UNCHECKED = (1).to_bytes(4, "little")
"""Flags of a compiled module that is not compared with a source (PEP 552)."""


def compiled(name: str, content: bytes) -> tuple[str, bytes]:
    """The entry that takes the place of the entry `name`."""
    if not name.endswith(".py") or name.startswith(AS_TEXT):
        return name, content
    code = compile(content, name, "exec", dont_inherit=True)
    return f"{name}c", importlib.util.MAGIC_NUMBER + UNCHECKED + importlib.util.source_hash(content) + marshal.dumps(
        code
    )


for path in map(Path, files):  # noqa: F821
    with zipfile.ZipFile(path) as file:
        entries = [compiled(name, file.read(name)) for name in file.namelist() if not name.endswith("/")]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
