"""Pages that are made from the code: features, command line, model cards, decisions."""

import argparse
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from neuroclass.cli import build_parser
from neuroclass.config import MODELS_DIR
from neuroclass.features import FEATURES, FeatureSource, FeatureSpec, Stimulus

PICTURES = "features"
USAGE_WIDTH = 84
_ORDER = (Stimulus.LONG_SQUARE, Stimulus.SHORT_SQUARE, Stimulus.RAMP, Stimulus.NOISE, Stimulus.NONE)


def pages(docs: Path) -> dict[str, str]:
    """Address and Markdown of each page."""
    return {
        "features.md": features_page(),
        "command-line.md": command_line_page(),
        "model-cards.md": model_cards_page(),
        "adr/index.md": decisions_page(docs),
    }


def features_page() -> str:
    """How each feature is measured, from `FeatureSpec`, with a picture each."""
    lines = [
        "# How each feature is measured",
        "",
        "The 41 features of the table published with [arXiv 2306.00528](https://arxiv.org/abs/2306.00528), by "
        "stimulus. Names and stored units are those of that table; the dashboard shows times in ms. Spikes are "
        "found by AllenSDK's rules: where a recording is sampled well above 20 kHz, dV/dt is taken after a 10 kHz "
        "four-pole Bessel low-pass; a spike has dV/dt of at least 20 mV/ms, a threshold at 5% of the mean upstroke, at "
        "least 2 mV and at most 5 ms from threshold to peak, and a peak of at least −30 mV.",
        "",
        "The pictures show a **simulated** cell, `simulated-mouse-sst-017` of the demo cohort, on the samples that "
        "each feature was measured on.",
        "",
    ]
    for stimulus in _ORDER:
        own = [spec for spec in FEATURES if spec.stimulus is stimulus]
        lines += [f"## {stimulus.label.capitalize()}", ""]
        for spec in own:
            lines += [*_feature(spec), ""]
    return "\n".join(lines)


def _feature(spec: FeatureSpec) -> Iterator[str]:
    yield f"### `{spec.name}`"
    yield ""
    shown = f", shown in {spec.display_unit}" if spec.display_unit else ""
    yield f"**{spec.label}**, {f'stored in {spec.unit}' if spec.unit else 'a ratio'}{shown}. {spec.definition}"
    yield ""
    if spec.source is FeatureSource.SWEEPS:
        yield f"![{spec.label} on a simulated cell]({PICTURES}/{spec.name}.svg)"
    else:
        yield f"Entered by hand: `--enter {spec.name}=…`, or on the Classify page."


def command_line_page() -> str:
    """The command line, from its parsers."""
    parser = build_parser()
    lines = [
        "# Command line",
        "",
        "`neuroclass` after `pip install`; `python -m neuroclass` in a checkout. The same workflows and the same "
        "numbers as on the pages. [From the command line](tutorials/command-line.md) has examples.",
        "",
        "Exit codes: 0 success; 1 an error, explained by its message; 2 wrong usage; 3 success, with some inputs "
        "refused; 130 interrupted.",
        "",
    ]
    (commands,) = (action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    for name, command in commands.choices.items():
        lines += [f"## `{name}`", "", *_command(command), ""]
    return "\n".join(lines)


def _command(command: argparse.ArgumentParser) -> Iterator[str]:
    yield _cell(command.description or "")
    yield ""
    usage = " ".join(command.format_usage().removeprefix("usage: ").split())
    shown = textwrap.fill(usage, USAGE_WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    yield from ("```text", shown, "```", "")
    for title, positional in (("argument", True), ("option", False)):
        own = [a for a in command._actions if bool(a.option_strings) != positional and a.dest != "help"]
        if own:
            yield f"| {title} | |"
            yield "| --- | --- |"
            for action in own:
                yield f"| {_name(action, command)} | {_cell(_help(action, command))} |"
            yield ""


def _name(action: argparse.Action, command: argparse.ArgumentParser) -> str:
    value = command._get_formatter()._format_args(action, (action.metavar or action.dest.upper()))  # type: ignore[arg-type]
    if not action.option_strings:
        return f"`{action.metavar or action.dest}`"
    names = ", ".join(action.option_strings)
    return f"`{names} {value}`" if action.nargs != 0 else f"`{names}`"


def _help(action: argparse.Action, command: argparse.ArgumentParser) -> str:
    return command._get_formatter()._expand_help(action) if action.help else ""


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")


def model_cards_page() -> str:
    """The shipped models, from their cards."""
    lines = [
        "# Model cards",
        "",
        "From `card.json` beside the weights of each network that ships. DANN and LSPIN of all 41 features give the "
        "figures below, the embeddings and the comparisons; a cell is classified by models of the same kinds fitted to "
        "exactly its features, see [How each model works](models.md). Figures are of held-out donors under the "
        "protocol named; [How good, measured how](performance.md) has them beside other systems.",
        "",
    ]
    for path in sorted(MODELS_DIR.glob("*/card.json")):
        lines += [*_card(json.loads(path.read_text(encoding="utf-8"))), ""]
    foundation = json.loads((MODELS_DIR / "feature-sets" / "foundation.json").read_text(encoding="utf-8"))
    n_sets = len(list((MODELS_DIR / "feature-sets").glob("*.json"))) - 1
    lines += [
        "## Models of feature sets",
        "",
        f"{n_sets} sets of features, each with the home and away voices of both tasks; trained on "
        f"{foundation['source']} of the published tables. Each set's JSON beside its weights holds "
        "the accuracy, coverage and set size of held-out donors, as recorded and in simulated laboratories.",
        "",
    ]
    return "\n".join(lines)


def _card(card: dict[str, Any]) -> Iterator[str]:
    cells, metrics = card["training_cells"], card.get("metrics")
    yield f"## {card['model']}"
    yield ""
    yield "| | |"
    yield "| --- | --- |"
    yield f"| predicts | {', '.join(card['classes'])} |"
    source = cells["source"].split(" in /")[0]
    yield f"| trained on | {cells['n_cells']:,} cells of {cells['n_donors']:,} donors; {source} |"
    yield f"| of these | {', '.join(f'{n} {name}' for name, n in cells['classes'].items())} |"
    features = card.get("used_features", card["features"])
    yield f"| reads | {len(features)} features |"
    yield from _evaluation(metrics, card["protocol"]) if metrics else ("| evaluated on | not evaluated yet |",)
    yield f"| weights, SHA-256 | `{card['weights_sha256'][:16]}…` |"
    yield f"| versions | {', '.join(f'{name} {number}' for name, number in card['versions'].items())} |"
    yield ""
    rest = {key: value for key, value in card.items() if key in ("architecture", "settings", "seeds")}
    yield from ("Architecture and settings:", "", "```json", json.dumps(rest, indent=1), "```")


def _evaluation(metrics: dict[str, Any], protocol: str) -> Iterator[str]:
    of = f"{metrics['cells']}, " if "cells" in metrics else ""
    yield f"| evaluated on | {of}{metrics['n_cells']:,} cells of {metrics['n_donors']:,} donors, {protocol} |"
    for name, value in metrics["metrics"].items():
        yield f"| {name.replace('_', ' ')} | {_figure(value)} |"
    for group, values in metrics.get("groups", {}).items():
        yield f"| accuracy, {group} | {_figure(values['accuracy'])} |"
    if "calibration_error" in metrics:
        yield f"| calibration error | {metrics['calibration_error']:.3f} |"
    if "open_gates" in metrics:
        yield f"| open gates, median | {metrics['open_gates']['median']:.0f} |"


def _figure(value: dict[str, float]) -> str:
    return f"{value['mean']:.3f} [{value['low']:.3f}, {value['high']:.3f}]"


def decisions(docs: Path) -> list[Path]:
    """The decisions, oldest first."""
    return sorted((docs / "adr").glob("[0-9]*.md"))


def decisions_page(docs: Path) -> str:
    """List the decisions."""
    rows = [
        f"- [{path.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}]({path.name})" for path in decisions(docs)
    ]
    return "\n".join(["# Decisions", "", "Why things are as they are, one page each.", "", *rows, ""])
