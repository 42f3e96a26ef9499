"""A folder of static files in which the dashboard runs in the browser: `python scripts/build_site.py OUT`.

Any static host can serve it, at its root or below a path: no server of ours, and nothing is fetched from another host.
Explore, Compare, Learn and the recorded runs are there; what needs PyTorch is not. To look at it here:
`python -m http.server --bind 127.0.0.1 --directory OUT`.

Python is Pyodide; stlite runs Streamlit in it, without a server. Both come from npm, the other packages from pip.
numpy, pandas, pillow and others are not there as WebAssembly outside Pyodide's own host: Streamlit names them, but
loads them only for elements that our pages do not have, so packages that hold nothing stand in for them.
"""

import argparse
import base64
import hashlib
import html
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from string import Template

from vggexplorer import palette
from vggexplorer.architectures import NETWORKS
from vggexplorer.catalogue import catalogue, fill
from vggexplorer.drawing import ENGLISH, Words, draw
from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, percent, size
from vggexplorer.layers import shape_text
from vggexplorer.paths import PACKAGE, PAGES, root
from vggexplorer.runs.folder import archive, layout
from vggexplorer.runs.folder.records import table
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server import archives, files, metrics
from vggexplorer.server.style import STYLE
from vggexplorer.summary import DTYPES, summarize
from vggexplorer.text import title

STLITE, PYODIDE = "@stlite/browser@1.9.2", "pyodide@0.29.5"
"""The newest stlite, and the newest Pyodide with the Python that it is compiled for (3.13)."""
PYTHON = "3.13"
MICROPIP = "micropip==0.11.1"
"""With it stlite puts its own two wheels in their place."""
PACKAGES = (
    *("packaging==26.4", "blinker==1.9.0", "protobuf==7.36.2", "typing-extensions==4.16.0"),
    *("starlette==1.10.0", "anyio==4.16.0", "idna==3.20", "sniffio==1.3.1", "python-multipart==0.0.34"),
    *("itsdangerous==2.2.0", "filelock==4.3.1", "platformdirs==4.14.8", "pyodide-http==0.2.2", "toml==0.10.2"),
    "segno==1.6.6",
)
"""What Streamlit and the dashboard import; all of it pure Python."""
NAMES_ONLY = "def __getattr__(name):\n    return type(name, (OSError,), {})\n"
STAND_INS: Mapping[str, tuple[str, str, str]] = {
    "ssl": ("1.0.0", "ssl.py", NAMES_ONLY),  # anyio
    "numpy": ("2.2.5", "numpy.py", NAMES_ONLY),  # st.logo
    "pillow": ("11.3.0", "PIL.py", "class Image:\n    class Image: ...\nclass ImageFile:\n    class ImageFile: ...\n"),
    "pandas": ("2.3.3", "", ""),
    "altair": ("6.0.0", "", ""),
    "fastparquet": ("2024.11.0", "", ""),
    "plotly": (version("plotly"), "", ""),  # its script lies beside the page
}
"""Packages by name: their version, and a file of theirs where somebody asks for names in it."""
PYODIDE_FILES = ("pyodide.mjs", "pyodide.asm.js", "pyodide.asm.wasm", "python_stdlib.zip")
LEFT_OUT = ("pytorch/", "terminal/", "cli.py", "assets/fashion-mnist-sample/")
TEMPLATES = Path(__file__).parent / "site"
WORDS = {
    "en": (
        "Python is being loaded into this browser. In some seconds the page comes alive.",
        "This browser could not load Python. It needs WebAssembly; try a newer one, or reload the page.",
    ),
    "zh": (
        "正在把 Python 载入此浏览器，几秒后页面即可操作。",
        "此浏览器无法载入 Python。页面需要 WebAssembly；请换用较新的浏览器，或重新加载页面。",
    ),
}
"""By language: what is said while Python is loaded, and if it cannot be."""


def build(out: Path) -> None:
    """Make the folder `out` anew; `InputError` if a package cannot be fetched."""
    shutil.rmtree(out, ignore_errors=True)
    (out / "pyodide").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        stlite, pyodide = npm(STLITE, work), npm(PYODIDE, work)
        shutil.copytree(stlite / "build", out / "stlite", ignore=shutil.ignore_patterns("*.map", "*.d.ts"))
        for name in PYODIDE_FILES:
            shutil.copy(pyodide / name, out / "pyodide" / name)
        fetch([MICROPIP], out / "pyodide")
        lock(pyodide, out / "pyodide")
        fetch(PACKAGES, work)
        content = {name: data for wheel in sorted(work.glob("*.whl")) for name, data in unpacked(wheel)}
        content |= dict(stand_ins()) | dict(application())
        (out / "app.zip").write_bytes(packed(content.items()))
        compile_all([out / "app.zip"], pyodide)
    for wheel in (out / "stlite" / "wheels").glob("*.whl"):
        wheel.write_bytes(packed((name, without_requirements(name, data)) for name, data in unpacked(wheel)))
    for address, data in beside():
        (out / address).parent.mkdir(parents=True, exist_ok=True)
        (out / address).write_bytes(data)
    page = html_page()
    for name in ("index", "404", *filter(None, PAGES)):  # hosts answer /compare with compare.html, or with 404.html
        (out / f"{name}.html").write_text(page, "utf-8")


# --- from elsewhere ------------------------------------------------------------------------------------------


def npm(spec: str, work: Path) -> Path:
    """The folder of an npm package, fetched to `work`."""
    done = run(["npm", "pack", "--silent", spec], work)
    with tarfile.open(work / done.split()[-1]) as file:
        folder = work / done.split()[-1].removesuffix(".tgz")
        file.extractall(folder, filter="data")
    return folder / "package"


def fetch(packages: Iterable[str], folder: Path) -> None:
    """Packages as wheels, without what they ask for."""
    target = ["--platform", "any", "--python-version", PYTHON, "--implementation", "py", "--abi", "none"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", *target]
    run([*command, "--dest", str(folder), *packages], folder)


def run(command: list[str], folder: Path) -> str:
    """What a program prints; `InputError` with its last line if it fails or is not there."""
    program = shutil.which(command[0])
    if program is None:
        raise InputError("{name} is needed to build the site, and is not installed here.", name=command[0])
    done = subprocess.run([program, *command[1:]], cwd=folder, capture_output=True, encoding="utf-8")  # noqa: S603
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2] or str(done.returncode)
        raise InputError("{name} failed: {reason}", name=command[0], reason=reason)
    return done.stdout


# --- packages ------------------------------------------------------------------------------------------------


def packed(content: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip file; the same content makes the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in content:
            file.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)  # without a time
    return buffer.getvalue()


def unpacked(path: Path) -> Iterator[tuple[str, bytes]]:
    """What is in a zip file."""
    with zipfile.ZipFile(path) as file:
        yield from ((name, file.read(name)) for name in file.namelist() if not name.endswith("/"))


def stand_ins() -> Iterator[tuple[str, bytes]]:
    """The files of packages that hold nothing, or one small module."""
    for name, (edition, module, source) in STAND_INS.items():
        yield (
            f"{name}-{edition}.dist-info/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {edition}\n".encode(),
        )
        if module:
            yield module, source.encode()


def without_requirements(name: str, data: bytes) -> bytes:
    """A file of a wheel, which asks for nothing more: all of it is there, and looking for it would take seconds."""
    if not name.endswith(".dist-info/METADATA"):
        return data
    return b"".join(line for line in data.splitlines(keepends=True) if not line.startswith(b"Requires-Dist:"))


def compile_all(archives: list[Path], pyodide: Path) -> None:
    """Compile the modules in zip files for the Python of `pyodide`: it is that much sooner ready in the browser."""
    program = [str(TEMPLATES / name) for name in ("compile.mjs", "compile.py")]
    run(["node", program[0], str(pyodide.resolve()), program[1], *(str(path.resolve()) for path in archives)], pyodide)


def lock(pyodide: Path, folder: Path) -> None:
    """Pyodide's list of packages, with the one in `folder` only: nothing is looked for elsewhere."""
    (wheel,) = folder.glob("*.whl")
    name, version = wheel.name.split("-")[:2]
    package = {
        **{"name": name, "version": version, "file_name": wheel.name, "install_dir": "site", "depends": []},
        **{"imports": [name], "package_type": "package", "unvendored_tests": False},
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
    }
    info = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))["info"]
    content = json.dumps({"info": info, "packages": {name: package}})
    (folder / "pyodide-lock.json").write_text(content, "utf-8")


# --- the dashboard -------------------------------------------------------------------------------------------


def application() -> Iterator[tuple[str, bytes]]:
    """The project as it lies once installed, but for what a browser cannot run or does not show."""
    yield "streamlit_app.py", (TEMPLATES / "entry.py").read_bytes()
    yield "vggexplorer/app.py", b""
    yield ".streamlit/config.toml", config().encode()
    for path in sorted([*PACKAGE.rglob("*"), *(root() / "pages").glob("*.py")]):
        name = path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else root()).as_posix()
        if path.is_file() and path.suffix != ".pyc" and not name.startswith(LEFT_OUT):
            yield f"vggexplorer/{name}", path.read_bytes()


def config() -> str:
    """Streamlit's settings, for stlite's name of the server."""
    text = (root() / ".streamlit" / "config.toml").read_text("utf-8")
    return text.replace('"localhost"', '"localhost", "stlite.local"', 1)


def beside() -> Iterator[tuple[str, bytes]]:
    """What the pages ask a server for, by its address: scripts and the figures of recorded runs."""
    for name in files.FILES:
        yield files.url(name), files.place(name).read_bytes()
    for run in Runs(layout.RECORDED).all(recorded=False):
        yield metrics.address(run.id), json.dumps(metrics.answer(run, 0, "")).encode()
        yield metrics.table_address(run.id), table(run.records()).encode()
        yield archives.address(run.id), archived(run)


def archived(run: Run) -> bytes:
    """The archive of a run."""
    with tempfile.TemporaryDirectory() as folder:
        archive.pack(run, path := Path(folder) / "run.zip")
        return path.read_bytes()


# --- the page ------------------------------------------------------------------------------------------------


def html_page() -> str:
    """The HTML of every page."""
    options = {
        "entrypoint": "streamlit_app.py",
        "archives": [{"url": "app.zip", "format": "zip"}],
        "disableProgressToasts": True,
    }
    icon = base64.b64encode((PACKAGE / "assets" / "icon.svg").read_bytes()).decode()
    return Template((TEMPLATES / "page.html").read_text("utf-8")).substitute(
        options=json.dumps(options),
        icon=f"data:image/svg+xml;base64,{icon}",
        style=STYLE,
        before="\n".join(map(before, ("en", "zh"))),
        text=themed("textColor"),
        background=themed("backgroundColor"),
    )


def themed(name: str) -> str:
    """A colour of the pages, on light and on dark ones."""
    theme = tomllib.loads((root() / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    return palette.Pair(theme["light"][name], theme["dark"][name]).css


def before(language: str) -> str:
    """What stands there while Python is loaded: VGG-11 with its totals and its drawing, as Explore will show it."""
    words = catalogue() if language == "zh" else {}

    def t(text: str) -> str:
        return html.escape(words.get(text, text))

    network = NETWORKS["VGG-11"]
    summary = summarize(*network)
    totals = summary.totals
    figures = {
        t("Parameters"): exact(totals.params),
        "MACs": exact(totals.macs),
        t("Activation memory"): size(totals.activations * DTYPES["float32"]),
        t("Parameters in FC"): percent(totals.fc_params, totals.params),
        t("{count} in conv").format(count="MACs"): percent(totals.conv_macs, totals.macs),
    }
    shape, classes = shape_text(summary.input_shape), summary.architecture.num_classes
    about = fill(t("input {shape}, {classes} {classes:class|classes}"), shape=shape, classes=classes)
    loading, failed = WORDS[language]
    return Template((TEMPLATES / "before.html").read_text("utf-8")).substitute(
        language=language,
        loading=loading,
        failed=failed,
        title=title(network),
        about=about,
        totals="".join(f"<div><dt>{name}</dt><dd>{figure}</dd></div>" for name, figure in figures.items()),
        drawing=draw(summary, None, Words(*map(t, ENGLISH)), ident=f"before-{language}"),
    )


def main() -> None:
    """The command: exits with 1 and a sentence on stderr if the site cannot be built."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, help="the folder, which is made anew")
    options = parser.parse_args()
    try:
        build(options.out)
    except InputError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
