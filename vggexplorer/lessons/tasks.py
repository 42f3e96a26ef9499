"""The chapter's exercises as tasks, in our own words. Every figure in them is computed when it is asked for."""

from vggexplorer.lessons.asks import Task
from vggexplorer.lessons.building import DEEP, FIELDS, PIXELS, POOLS, TABLE1
from vggexplorer.lessons.costs import FLOPS, HEAD, INPUT, LISTING, PARAMETERS, SLOWER
from vggexplorer.lessons.history import GIGABYTE, LENET

TASKS: dict[str, Task] = {
    task.key: task
    for task in (
        *(LISTING, SLOWER, PARAMETERS, FLOPS, HEAD, INPUT, TABLE1),
        *(PIXELS, FIELDS, DEEP, POOLS, GIGABYTE, LENET),
    )
}
"""The tasks by key, in the order in which they are listed."""
