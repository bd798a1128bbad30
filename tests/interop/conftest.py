from __future__ import annotations

import pytest

from tests.interop.node import NodeProcess, node_runtime


@pytest.fixture(scope="package", autouse=True)
def node() -> str:
    NodeProcess.runtime = node_runtime()
    return NodeProcess.runtime
