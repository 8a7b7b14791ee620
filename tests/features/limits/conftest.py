"""The contract's asserts should explain themselves too."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("contracts.leases")
