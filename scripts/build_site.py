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
from typing import Any

from vggexplorer import palette
from vggexplorer.architectures import NETWORKS
from vggexplorer.catalogue import catalogue, fill
from vggexplorer.drawing import ENGLISH, Words, draw
from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, percent, size
from vggexplorer.layers import shape_text
from vggexplorer.paths import PACKAGE, PAGES, root
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.records import table
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server import files, metrics
from vggexplorer.summary import DTYPES, summarize
from vggexplorer.text import title

STLITE, PYODIDE = "@stlite/browser@1.9.2", "pyodide@0.29.5"
"""The newest stlite, and the newest Pyodide with the Python that it is compiled for (3.13)."""
PYTHON = "3.13"
PACKAGES = (
    *("micropip==0.11.1", "packaging==26.4", "blinker==1.9.0", "protobuf==7.36.2", "typing-extensions==4.16.0"),
    *("starlette==1.10.0", "anyio==4.16.0", "idna==3.20", "sniffio==1.3.1", "python-multipart==0.0.34"),
    *("itsdangerous==2.2.0", "filelock==4.3.1", "platformdirs==4.14.8", "pyodide-http==0.2.2", "toml==0.10.2"),
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
UNKNOWN = ("paddingTop",)
"""Settings that stlite's Streamlit does not know; page.html sets them in its way."""
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
    with tempfile.TemporaryDirectory() as work:
        stlite, pyodide = npm(STLITE, Path(work)), npm(PYODIDE, Path(work))
        shutil.copytree(stlite / "build", out / "stlite", ignore=shutil.ignore_patterns("*.map", "*.d.ts"))
        for name in PYODIDE_FILES:
            shutil.copy(pyodide / name, out / "pyodide" / name)
        fetch(out / "pyodide")
        for name, content in stand_ins():
            (out / "pyodide" / name).write_bytes(content)
        (out / "app.zip").write_bytes(packed(application()))
        compile_all([out / "app.zip", *(out / "pyodide").glob("*.whl")], pyodide)
        info = json.loads((pyodide / "pyodide-lock.json").read_text("utf-8"))["info"]
    packages = locked(out / "pyodide")
    (out / "pyodide" / "pyodide-lock.json").write_text(json.dumps({"info": info, "packages": packages}), "utf-8")
    for address, content in beside():
        (out / address).parent.mkdir(parents=True, exist_ok=True)
        (out / address).write_bytes(content)
    page = html_page(sorted(packages.keys() - {"micropip"}))
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


def fetch(folder: Path) -> None:
    """`PACKAGES` as wheels."""
    target = ["--platform", "any", "--python-version", PYTHON, "--implementation", "py", "--abi", "none"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", *target]
    run([*command, "--dest", str(folder), *PACKAGES], folder)


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
        for name, each in content:
            file.writestr(zipfile.ZipInfo(name), each, zipfile.ZIP_DEFLATED)  # without a time
    return buffer.getvalue()


def stand_ins() -> Iterator[tuple[str, bytes]]:
    """Wheels that say they are a package, and hold nothing or one small module."""
    for name, (edition, module, source) in STAND_INS.items():
        info = f"{name}-{edition}.dist-info"
        content = {
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {edition}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": "",
        } | ({module: source} if module else {})
        yield f"{name}-{edition}-py3-none-any.whl", packed((name, text.encode()) for name, text in content.items())


def compile_all(archives: list[Path], pyodide: Path) -> None:
    """Compile the modules in zip files for the Python of `pyodide`: it is that much sooner ready in the browser."""
    program = [str(TEMPLATES / name) for name in ("compile.mjs", "compile.py")]
    run(["node", program[0], str(pyodide.resolve()), program[1], *(str(path.resolve()) for path in archives)], pyodide)


def locked(folder: Path) -> dict[str, Any]:
    """Pyodide's list of packages: the wheels in `folder`, so that nothing is looked for elsewhere."""
    packages = {}
    for wheel in sorted(folder.glob("*.whl")):
        name, version = wheel.name.split("-")[:2]
        name = name.replace("_", "-").lower()
        packages[name] = {
            **{"name": name, "version": version, "file_name": wheel.name, "install_dir": "site", "depends": []},
            **{"imports": [name.replace("-", "_")], "package_type": "package", "unvendored_tests": False},
            "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        }
    return packages


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
    """Streamlit's settings, for stlite's name of the server and without what only a newer Streamlit knows."""
    text = (root() / ".streamlit" / "config.toml").read_text("utf-8")
    lines = text.replace('"localhost"', '"localhost", "stlite.local"', 1).splitlines()
    return "\n".join(line for line in lines if not line.startswith(UNKNOWN))


def beside() -> Iterator[tuple[str, bytes]]:
    """What the pages ask a server for, by its address: scripts and the figures of recorded runs."""
    for name in files.FILES:
        yield files.url(name), files.place(name).read_bytes()
    for run in Runs(layout.RECORDED).all(recorded=False):
        yield metrics.address(run.id), json.dumps(metrics.answer(run, 0, "")).encode()
        yield metrics.table_address(run.id), table(run.records()).encode()


# --- the page ------------------------------------------------------------------------------------------------


def html_page(packages: list[str]) -> str:
    """The HTML of every page; `packages` are loaded before the dashboard starts."""
    options = {
        "entrypoint": "streamlit_app.py",
        "archives": [{"url": "app.zip", "format": "zip"}],
        "prebuiltPackageNames": packages,
        "disableProgressToasts": True,
    }
    icon = base64.b64encode((PACKAGE / "assets" / "icon.svg").read_bytes()).decode()
    return Template((TEMPLATES / "page.html").read_text("utf-8")).substitute(
        options=json.dumps(options),
        icon=f"data:image/svg+xml;base64,{icon}",
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
