"""Why files of a folder of pictures cannot be used: before a start by their names, later out of the lines of a run."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from vggexplorer.comparison import Remark

REASONS = (
    Remark("not a file"),
    Remark("too deep"),
    Remark("a link to a folder that it is in"),
    Remark("not a picture"),
    Remark("the file is empty"),
    Remark("{format} is not read; save it as PNG, JPEG or TIFF"),
    Remark("damaged, or a kind of {format} that is not read"),
    Remark("too many pixels: at most {most} megapixels are read"),
    Remark("too many pixels: at most {most} of a side are read"),
    Remark("too many pixels"),
    Remark("not all levels are numbers"),
    Remark("16 bits, channel after channel, are not read"),
    Remark("16 bits, of which few are used, are not read in {format}"),
    Remark("cannot be read: {reason}"),
    Remark("cannot be unpacked: {reason}"),
)
"""All that pictures and folders are refused for, but for what the system says."""

NOT_READ = {
    *(".heic", ".heif", ".jxl", ".svg", ".eps", ".ai", ".pdf", ".wmf", ".emf", ".exr", ".hdr", ".dcm", ".fits"),
    *(".npy", ".npz", ".mat", ".h5", ".hdf5", ".mp4", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".zip", ".tar"),
    *(".gz", ".7z", ".rar", ".txt", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".md", ".html", ".doc"),
    *(".docx", ".xls", ".xlsx"),
}
"""How the names of files end that hold no picture, or one that is not read. What a file holds, only the run sees."""


def kinds_not_read(files: Iterable[Path]) -> dict[str, int]:
    """How many of the files have names that end so, by how they end, most first."""
    return dict(Counter(suffix for file in files if (suffix := file.suffix.lower()) in NOT_READ).most_common())


def said_of_kinds(kinds: Mapping[str, int]) -> list[Remark]:
    """What a person should know of such files before a start; nothing if there are none."""
    if not kinds:
        return []
    count, named = sum(kinds.values()), ", ".join(f"{suffix} ({many:,})" for suffix, many in kinds.items())
    return [
        Remark(
            "{count} {count:file has a name|files have names} of a kind that is not read: {kinds}.",
            {"count": count, "kinds": named},
        )
    ]


def reason_of(line: str) -> tuple[str, Remark | None]:
    """A line of the list of files that could not be used: what is before the reason, and that, if it is known."""
    for reason in REASONS:
        if found := _pattern(reason.template).fullmatch(line):
            values = found.groupdict()
            return values.pop("before"), Remark(reason.template, values)
    return line, None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """What a line is like that ends with a reason: the file's name in quotes comes first."""
    words = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.*)", re.escape(template))
    return re.compile(rf"(?P<before>“.*”: ){words}", re.DOTALL)
