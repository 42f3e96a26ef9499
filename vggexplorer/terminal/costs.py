"""`vggexplorer profile` and `compare`: what networks cost, as tables or as JSON, for which Rich is not loaded."""

import argparse
import json

from vggexplorer import comparison, export
from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.errors import InputError
from vggexplorer.summary import Summary, summarize
from vggexplorer.terminal.arguments import network_of

BOOK_CLASSES = NETWORKS["VGG-11"].architecture.num_classes


def profile(options: argparse.Namespace) -> int:
    """Print what a network costs."""
    summary = summarize(*network_of(options, options.arch))
    if options.check:
        return _checked(summary, options.json)
    if options.json:
        print(json.dumps(export.profile(summary), indent=2))
    else:
        from vggexplorer.terminal.console import print_summary

        print_summary(summary)
    return 0


def _checked(summary: Summary, as_json: bool) -> int:
    """The profile with what other tools count; 1 unless every figure of theirs is explained, and there is one."""
    from vggexplorer.peers import reconcile
    from vggexplorer.runs.crosscheck import crosscheck

    network = Network(summary.architecture, summary.input_shape)
    measured = {found.tool: found for found in crosscheck(network)}
    checks = reconcile(summary, measured)
    if as_json:
        print(json.dumps(export.profile(summary) | {"check": export.checked_by(measured, checks)}, indent=2))
    else:
        from vggexplorer.terminal.console import print_checks, print_summary

        print_summary(summary)
        print_checks(measured, checks)
    return 0 if checks and all(check.agrees for check in checks) else 1


def compare(options: argparse.Namespace) -> int:
    """Print what several networks cost. All get the same input and classes: those asked for, else the book's."""
    if len(options.archs) < 2:
        raise InputError("A comparison needs two or more networks.")
    networks = [network_of(options, arch) for arch in options.archs]
    input_shape = Network._field_defaults["input_shape"] if options.input is None else networks[0].input_shape
    num_classes = BOOK_CLASSES if options.classes is None else networks[0].architecture.num_classes
    entries = comparison.compare((network.architecture for network in networks), input_shape, num_classes)
    exported = export.comparison(entries)
    if options.json:
        print(json.dumps(exported, indent=2))
    else:
        from vggexplorer.terminal.console import print_comparison

        print_comparison(entries)
    return 0
