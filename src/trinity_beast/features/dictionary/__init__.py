"""The data dictionary: what the database of this product must look like.

Kept as data in a notation of our own, and compared with a live database column by
column: types, defaults, keys, constraints, named indexes, foreign keys with what they
do on DELETE.  ``usage_logs`` may be partitioned or not.  What we have beyond the
dictionary is listed too: schema ``beast``, and indexes of our own.

Owns: nothing.   Source: data dictionary, version 16.
"""

from trinity_beast.features.dictionary.describe import describe_tables
from trinity_beast.features.dictionary.model import (
    Column,
    Difference,
    Index,
    OwnIndex,
    OwnTable,
    Reference,
    TableEntry,
    Unique,
)
from trinity_beast.features.dictionary.reading import (
    dictionary,
    own_indexes,
    own_tables,
)
from trinity_beast.features.dictionary.service import check_database

__all__ = [
    "Column",
    "Difference",
    "Index",
    "OwnIndex",
    "OwnTable",
    "Reference",
    "TableEntry",
    "Unique",
    "check_database",
    "describe_tables",
    "dictionary",
    "own_indexes",
    "own_tables",
]
