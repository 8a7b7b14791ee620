"""The page of the reference that is made from the dictionary."""

from __future__ import annotations

from trinity_beast.features.dictionary import (
    describe_tables,
    dictionary,
    own_indexes,
    own_tables,
)


def test_the_page_names_every_table_and_index_and_why() -> None:
    page = describe_tables()

    lines = page.splitlines()
    assert page.endswith("|\n")
    assert lines[0] == "# Tables"
    assert "| 1.1 | `api_keys` | 24 |  |" in lines
    assert (
        "| 6.1 | `email_drafts` | 12 | The dictionary counts 13 columns and lists 12:"
        " these are the listed ones. |"
    ) in lines
    assert (
        "| `idx_usage_logs_api_key_id` | `usage_logs (api_key_id, id)` |"
        " Reports read the rows of one key in order of time. |"
    ) in lines
    # Three tables with a head and a rule each.
    rows = len(dictionary()) + len(own_indexes()) + len(own_tables())
    assert len([line for line in lines if line.startswith("|")]) == rows + 6
