"""The chapter's exercises as tasks, in our own words. Every figure in them is computed when it is asked for."""

from vggexplorer.lessons.asks import Task
from vggexplorer.lessons.deep import DEEP
from vggexplorer.lessons.fields import FIELDS
from vggexplorer.lessons.flops import FLOPS
from vggexplorer.lessons.gigabyte import GIGABYTE
from vggexplorer.lessons.head import HEAD
from vggexplorer.lessons.input import INPUT
from vggexplorer.lessons.lenet import LENET
from vggexplorer.lessons.listing import LISTING
from vggexplorer.lessons.parameters import PARAMETERS
from vggexplorer.lessons.pixels import PIXELS
from vggexplorer.lessons.pools import POOLS
from vggexplorer.lessons.slower import SLOWER
from vggexplorer.lessons.speeds import SPEEDS
from vggexplorer.lessons.table1 import TABLE1
from vggexplorer.lessons.window import WINDOW

TASKS: dict[str, Task] = {
    task.key: task
    for task in (
        *(SLOWER, PARAMETERS, FLOPS, INPUT, GIGABYTE, SPEEDS),
        *(LISTING, TABLE1, WINDOW, FIELDS, POOLS, LENET),
        *(HEAD, PIXELS, DEEP),
    )
}
"""The tasks by key, in the order in which they are listed: by theme."""
