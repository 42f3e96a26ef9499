"""Why files of a folder of pictures cannot be used, as a page reads it out of the lines that a run keeps."""

import re
from functools import cache

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
