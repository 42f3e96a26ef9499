"""What can be believed of a trained network: how often it is right, of each class by itself too, and what that means.

`judge` alone says what the figures mean, for pages, terminal, log and JSON.
"""

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any, NamedTuple

from vggexplorer.architectures import Head
from vggexplorer.catalogue import Verbatim
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, percent
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.options import RANGE

MARGIN = 0.02
"""The part of what was left to be learned up to which nothing was learned."""
ERRORS = 2
"""How many standard errors chance makes."""
FAR = 0.1
"""From which difference on the accuracy in training is far above that of the test."""
VOTE = 0.98
"""The share of answers for one class that makes a majority vote."""
LOPSIDED = 1.5
"""How many times its fair share a class has whose majority looks like success."""
MOST_ADVICE = 4
MOST_COUNT = 2**53
"""Up to here whole numbers are exact as floats."""


class Facts(NamedTuple):
    """What is known of a run that has finished.

    `rows` is the confusion matrix of the test pictures, a row for each true class, and `trained` the number of training
    pictures of each. `train_acc` is the accuracy in training over the last epoch, in which the network still changed
    and pictures may have been changed at random: at its end it was rather higher.
    """

    names: tuple[str, ...]
    rows: Sequence[Sequence[int]]
    trained: Sequence[int]
    train_acc: float | None
    config: Config


class Figures(NamedTuple):
    """Of `tested` test pictures, `right` are recognised; `recalls` is the share of each class, None without pictures.

    `balanced` is the mean of the recalls, the balanced accuracy: to guess gives 1 / classes, however many each has.
    """

    tested: int
    right: int
    recalls: tuple[float | None, ...]
    balanced: float

    @property
    def accuracy(self) -> float:
        """The share of all test pictures that are recognised."""
        return self.right / self.tested


def matrix(result: Mapping[str, Any]) -> list[list[int]]:
    """The confusion matrix, a row for each true class; empty if there is none, or not one of whole numbers."""
    rows, names = result.get("confusion"), result.get("classes")
    if not isinstance(rows, list) or not isinstance(names, list) or len(rows) != len(names):
        return []
    if not all(_counts(row, len(rows)) for row in rows):
        return []
    return rows if any(map(any, rows)) else []


def _counts(found: Any, count: int) -> bool:
    return (
        isinstance(found, list | tuple)
        and len(found) == count
        and all(isinstance(each, int) and 0 <= each < MOST_COUNT for each in found)
    )


def facts(
    result: Mapping[str, Any], config: Config, train_acc: float | None, trained: Sequence[int] = ()
) -> Facts | None:
    """Those of a run with this result.json; None if it has no confusion matrix.

    If it is not known how many training pictures each class had, the shares are taken to be as in the test.
    """
    if not (rows := matrix(result)):
        return None
    names = map(_printable, result["classes"])
    if not (_counts(trained, len(rows)) and any(trained)):
        trained = list(map(sum, rows))
    return Facts(tuple(names if config.dataset.known else map(Verbatim, names)), rows, trained, train_acc, config)


def _printable(name: Any) -> str:
    return "".join(char if char.isprintable() else " " for char in str(name))


def of_run(run: Run) -> Facts | None:
    """Those of a run in its folder; None before its end, or if its files do not say."""
    try:
        config = run.config()
    except InputError:
        return None
    last, counts = run.last_record(), run.class_counts()
    trained = [train for train, _ in counts.values()]
    return facts(run.json(layout.RESULT), config, last.train_acc if last else None, trained)


def figures(rows: Sequence[Sequence[int]]) -> Figures:
    """How often the classes of a confusion matrix that is not empty are recognised."""
    recalls = tuple(row[place] / sum(row) if any(row) else None for place, row in enumerate(rows))
    known = [recall for recall in recalls if recall is not None]
    right = sum(row[place] for place, row in enumerate(rows))
    return Figures(sum(map(sum, rows)), right, recalls, sum(known) / len(known))


def to_json(known: Facts | None) -> dict[str, Any]:
    """The figures and the sentences for the last line of JSON."""
    if known is None:
        return {"balanced_acc": None, "recalls": {}, "remarks": []}
    found = figures(known.rows)
    recalls = dict(zip(known.names, found.recalls, strict=True))
    return {"balanced_acc": found.balanced, "recalls": recalls, "remarks": list(map(str, judge(known)))}


# --- in sentences ------------------------------------------------------------------------------------------


def summary(known: Facts) -> list[Remark]:
    """How many test pictures are recognised, and what is mixed up most."""
    found = figures(known.rows)
    told = [
        Remark(
            "{right} of {count} test {count:picture|pictures} {right:is|are} recognised, {share}.",
            {"right": exact(found.right), "count": exact(found.tested), "share": percent(found.right, found.tested)},
        )
    ]
    pairs = ((n, at, to) for at, row in enumerate(known.rows) for to, n in enumerate(row) if at != to)
    most, true, taken = max(pairs, default=(0, 0, 0))
    if most:
        values = {"true": known.names[true], "taken": known.names[taken], "most": most}
        told.append(Remark("Most often {true} is taken for {taken}: {most} {most:time|times}.", values))
    return told


def by_class(known: Facts) -> list[Remark]:
    """The balanced accuracy beside the accuracy, and the class that is recognised least often and most often."""
    found = figures(known.rows)
    values = {"accuracy": percent(found.accuracy, 1), "balanced": percent(found.balanced, 1)}
    told = [Remark("Accuracy {accuracy}, balanced accuracy {balanced}.", values)]
    recalls = [(recall, place) for place, recall in enumerate(found.recalls) if recall is not None]
    (low, worst), (high, best) = min(recalls), max(recalls)
    if low < high:
        ends = {"worst": known.names[worst], "best": known.names[best]}
        ends |= {"low": percent(low, 1), "high": percent(high, 1)}
        told.append(Remark("Recall is from {low} ({worst}) to {high} ({best}).", ends))
    return told


def judge(known: Facts) -> list[Remark]:
    """What the figures mean where they may be taken for something else; nothing of a range test, which is to diverge.

    Advice never names what is on already.
    """
    training, found = known.config.training, figures(known.rows)
    if training.schedule == RANGE:
        return []
    told = _vote(known, found)
    if _nothing(known, found):
        values = {"share": percent(_largest(known.trained), 1)}
        told.append(
            Remark(
                "The network has learned nothing yet: in training, too, it is right about as often as if it always "
                "named the largest class, which has {share} of the pictures.",
                values,
            )
        )
        told.append(_advice(_to_learn(known.config)))
    elif _overfits(known, found):
        values = {"train": percent(known.train_acc or 0, 1), "test": percent(found.accuracy, 1)}
        told.append(
            Remark(
                "In training {train} of the pictures are recognised, of the test pictures {test}: the network has "
                "learned some of the former by heart (overfitting).",
                values,
            )
        )
        told.append(_advice(_to_generalise(known.config)))
    return told


def _largest(counts: Sequence[int]) -> float:
    """The share of the largest class."""
    return max(counts) / sum(counts)


def _exceeds(accuracy: float, share: float, error: float) -> bool:
    """Whether an accuracy is above that of a class of this share by more than chance and `MARGIN` make."""
    return accuracy > share + max(MARGIN * (1 - share), ERRORS * error)


def _error(share: float, count: int) -> float:
    """The standard error of a share of `count` pictures."""
    return sqrt(share * (1 - share) / count)


def _vote(known: Facts, found: Figures) -> list[Remark]:
    """A sentence if nearly all test pictures are taken for a class that has most of them."""
    counts = list(map(sum, known.rows))
    place = counts.index(max(counts))
    share, answers = _largest(counts), sum(row[place] for row in known.rows)
    if answers < VOTE * found.tested or share < LOPSIDED / len(counts):
        return []
    values = {
        "answers": exact(answers),
        "count": exact(found.tested),
        "name": known.names[place],
        "share": percent(share, 1),
        "accuracy": percent(found.accuracy, 1),
        "balanced": percent(found.balanced, 1),
    }
    return [
        Remark(
            "{answers} of {count} test {count:picture|pictures} {answers:is|are} taken for {name}, the class that has "
            "{share} of them: the accuracy of {accuracy} is that of a majority vote. Balanced over the classes it is "
            "{balanced}.",
            values,
        )
    ]


def _nothing(known: Facts, found: Figures) -> bool:
    """Whether neither in the test, nor of the classes alike, nor in training it does better than one answer for all."""
    counts = [count for count in map(sum, known.rows) if count]
    share, fair = _largest(counts), 1 / len(counts)
    if known.train_acc is None or _exceeds(found.accuracy, share, _error(share, found.tested)):
        return False
    balanced_error = sqrt(sum(_error(fair, count) ** 2 for count in counts)) / len(counts)
    if _exceeds(found.balanced, fair, balanced_error):
        return False
    share = _largest(known.trained)
    return not _exceeds(known.train_acc, share, _error(share, sum(known.trained)))


def _overfits(known: Facts, found: Figures) -> bool:
    """Whether the accuracy in training is above that of the test by more than `FAR`, and than chance makes."""
    far = max(FAR, ERRORS * _error(found.accuracy, found.tested))
    return known.train_acc is not None and known.train_acc - found.accuracy > far


# --- what may help -----------------------------------------------------------------------------------------

_POOR_INITS = ("normal", "constant", "uniform10")


def _to_learn(config: Config) -> list[Remark]:
    training = config.training
    found = [
        (Remark("batch norm"), not config.trained.architecture.normalizes),
        (Remark("momentum"), training.optimizer == "sgd" and not training.momentum),
        (Remark("Xavier initialisation"), training.conv_init in _POOR_INITS or training.linear_init in _POOR_INITS),
        (Remark("another learning rate"), True),
        (Remark("a larger time budget"), training.time_budget is not None),
        (Remark("more epochs"), training.time_budget is None),
    ]
    return [remark for remark, helps in found if helps]


def _to_generalise(config: Config) -> list[Remark]:
    training = config.training
    found = [
        (Remark("more training pictures"), True),
        (Remark("random mirroring"), not training.flip),
        (Remark("random shift"), not training.crop),
        (Remark("dropout"), _takes_dropout(config)),
        (Remark("weight decay"), not training.weight_decay),
        (Remark("change of brightness"), not training.brightness),
    ]
    return [remark for remark, helps in found if helps]


def _takes_dropout(config: Config) -> bool:
    """Whether the head has hidden layers that dropout could follow, and has none."""
    architecture = config.trained.architecture
    return isinstance(architecture.head, Head) and bool(architecture.head.hidden) and not architecture.dropout


def _advice(helps: Sequence[Remark]) -> Remark:
    """The first few of what helps, in a sentence."""
    words = dict(zip("abcd", (remark.template for remark in helps[:MOST_ADVICE]), strict=False))
    return _HELPS[len(words) - 1]._replace(values=words)


_HELPS = (
    Remark("What may help: {a}."),
    Remark("What may help: {a}, {b}."),
    Remark("What may help: {a}, {b}, {c}."),
    Remark("What may help: {a}, {b}, {c}, {d}."),
)
