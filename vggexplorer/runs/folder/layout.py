"""The folder of a run, file by file. Each file has one writer, and is replaced as a whole or only gets longer.

| file | what it holds | who writes it |
|---|---|---|
| `CONFIG` | what was asked, a `Config`; a folder without it is no run | who creates the run, once |
| `CREATED` | when (`time`), for whom (`owner`, where it is shared), if by an archive (`brought`) | who creates it |
| `NAME` | the display name, text | who creates or renames the run |
| `PLACE` | where the trainer is started, a `Place`: with the ids of its race, if it is in one | who starts the run |
| `FORECAST` | what the run would take, a `Forecast` | who starts the run |
| `STARTED` | for how many times the usual timeout the run counts as starting | who starts the run |
| `CONTROL` | what is wanted: `until` (a step to pause at) and `stop` | who commands the run |
| `LOCK` | nothing; it is locked while a trainer lives | the trainer |
| `HEARTBEAT` | a counter, the `Phase`, the step, the process; each second | the trainer |
| `ENVIRONMENT` | device, precision, data of the last start; `step`, the `Choice` of it | the trainer, at each start |
| `METRICS` | a `Record` a line | the trainer; cut back to the checkpoint at a start |
| `TELEMETRY` | a sample of the device a line | the trainer |
| `LOG` | what the trainer prints | the trainer and what starts it |
| `STEP` | what the last single step looked like | the trainer, when it is paused |
| `WATCHED` | nothing; its time says when a page last asked about the run | who shows it, while it trains |
| `ANSWERS` | what the network takes some test pictures for, after a step | the trainer, while somebody watches |
| `CHECKPOINT` | all that a resume needs; a `StepKind`, what made it | the trainer; gone once the run has finished |
| `SNAPSHOTS` | the convolutions after some steps, `<step>.safetensors` | the trainer |
| `RANKS` | who each further process is, `<number>.json` | that process; gone once the run has ended |
| `BEST` | the weights with the best test accuracy, its step and accuracy, if they are kept | the trainer |
| `WEIGHTS` | the trained network: the weights after the last step | the trainer, at the end |
| `RESULT` | what the network does: classes, confusion, mistakes, examples of its cells | the trainer, at the end |
| `OUTCOME` | how it ended, an `Outcome`; gone while a trainer is at it | the trainer, as the last |

A name that begins with a dot is a file that is being written. The folder of a sweep has `SWEEP`, what was asked,
written once; `MADE`, the ids of the runs that its keeper has made, a line each; `KEEPER_LOCK`, locked while its keeper
lives; `CONTROL`, with `stop` alone; and `LOG`.
"""

from vggexplorer.paths import PACKAGE

RECORDED = PACKAGE / "assets" / "recorded"
"""Runs that ship with the package, for people without the time or the device."""
CONFIG = "config.json"
CREATED = "created.json"
NAME = "name.txt"
PLACE = "place.json"
FORECAST = "forecast.json"
STARTED = "started"
CONTROL = "control.json"
LOCK = "run.lock"
HEARTBEAT = "heartbeat"
ENVIRONMENT = "environment.json"
METRICS = "metrics.jsonl"
TELEMETRY = "telemetry.jsonl"
LOG = "output.log"
STEP = "step.json"
WATCHED = "looked-at"
ANSWERS = "answers.json"
CHECKPOINT = "checkpoint/state.safetensors"
SNAPSHOTS = "snapshots"
RANKS = "ranks"
BEST = "best.safetensors"
WEIGHTS = "model.safetensors"
RESULT = "result.json"
OUTCOME = "outcome.json"
SWEEP = "sweep.json"
MADE = "made.txt"
KEEPER_LOCK = "keeper.lock"
GROWING = (METRICS, TELEMETRY, LOG)
"""Files that only get longer while a trainer is at them."""
REPLACED = (ENVIRONMENT, STEP, CHECKPOINT, BEST, WEIGHTS, RESULT, OUTCOME)
"""Files of the trainer that are moved over the old ones, whole; the outcome is the last."""
ARCHIVED = (
    *(CONFIG, CREATED, NAME, FORECAST, ENVIRONMENT, METRICS, TELEMETRY, STEP, ANSWERS, BEST, WEIGHTS, RESULT),
    OUTCOME,
)
"""What an archive of the run has of it, beside its snapshots; nothing that only a trainer or this machine needs."""
