"""Which tasks a visitor has before them: all, or those that a teacher's link names."""

from vggexplorer.lessons.asks import Task
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.ui.state import current


def tasks() -> list[Task]:
    """The tasks in their order."""
    chosen = current().tasks
    return [task for key, task in TASKS.items() if not chosen or key in chosen]


def task() -> Task | None:
    """The task that is open."""
    return current().opened()


def after(task: Task) -> Task | None:
    """The task that follows one; None after the last."""
    found = tasks()
    place = found.index(task) + 1 if task in found else len(found)
    return found[place] if place < len(found) else None
