"""The generated parts of docs/reference: `python -m trinity_beast.apps.reference`.

A test compares the files with what this renders, so they cannot drift.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from trinity_beast.apps.settings import (
    ListenSettings,
    NodeSettings,
    Settings,
    StoreSettings,
    list_settings,
)
from trinity_beast.features.dictionary import describe_tables
from trinity_beast.features.parameters import REGISTRY, Parameter
from trinity_beast.toolkit.http.problems import PROBLEMS


def render_all() -> dict[str, str]:
    """Return the text of each generated file by its name."""
    return {
        "settings.md": _settings(),
        "parameters.md": _parameters(),
        "errors.md": _errors(),
        "tables.md": describe_tables(),
    }


def main(folder: Path) -> None:
    """Write all generated files into ``folder``."""
    for name, text in render_all().items():
        (folder / name).write_text(text, encoding="utf-8")


def _settings() -> str:
    defaults = Settings(
        NodeSettings.model_construct(),
        ListenSettings.model_construct(),
        StoreSettings.model_construct(),
    )
    rows = (
        (f"`{line.variable}`", _code(line.default), line.meaning)
        for line in list_settings(defaults)
    )
    return _page(
        "Settings",
        "Environment variables, read once at the start. `beast settings` shows them.",
        ("Variable", "Default", "Meaning"),
        rows,
    )


def _parameters() -> str:
    rows = (
        (
            f"`{parameter.name}`",
            parameter.kind,
            parameter.unit,
            _range(parameter),
            _code(parameter.default),
            parameter.meaning,
        )
        for parameter in REGISTRY
    )
    return _page(
        "Parameters",
        "Rows of `application_parameters` and `report_parameters`; a change acts "
        "within a second.",
        ("Key", "Kind", "Unit", "Range", "Default", "Meaning"),
        rows,
    )


def _errors() -> str:
    rows = (
        (f"`{problem.code}`", str(problem.status), problem.title)
        for problem in PROBLEMS
    )
    return _page(
        "Error codes",
        "Codes are stable: they are never renamed.",
        ("Code", "Status", "Meaning"),
        rows,
    )


def _range(parameter: Parameter) -> str:
    if parameter.choices:
        return ", ".join(parameter.choices)
    if parameter.low is None or parameter.high is None:
        return ""
    return f"{parameter.low} to {parameter.high}"


def _page(
    title: str,
    words: str,
    heads: tuple[str, ...],
    rows: Iterable[tuple[str, ...]],
) -> str:
    lines = [f"# {title}", "", words, ""]
    lines += [_row(heads), _row(tuple("---" for _ in heads))]
    lines += [_row(row) for row in rows]
    return "\n".join(lines) + "\n"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


if __name__ == "__main__":  # pragma: no cover - the module as a command
    main(Path(sys.argv[1]))
