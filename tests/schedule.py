"""Which tests of a full run share a process: those of a file; operations and the table of jobs: those of one engine.

xdist's own groups (`--dist loadgroup`) have no effect with this pytest: it writes them where pytest no longer looks.
"""

from __future__ import annotations

import re

from xdist.scheduler import LoadScopeScheduling

OPERATIONS = "tests/integration/operations/"
BY_ENGINE = "tests/jobs/test_table.py"
# The engine's kind comes first in the brackets, and may have an address of its own: 26.1, 26.1-at-1.33, podman.
_KIND = re.compile(r"\[(podman|[\d.]+(?:-at-[\d.]+|-from-[\d.]+|-containerd|-over-ssh)?)[-\]]")


class ByFile(LoadScopeScheduling):
    """A process takes one group after another, in the order of collection: what is long does not come last."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)


def group(nodeid: str) -> str:
    """The group of a test: tests of one group run in one process."""
    for place in (OPERATIONS, BY_ENGINE):
        if nodeid.startswith(place) and (kind := _KIND.search(nodeid)):
            return f"{place} on {kind[1]}"
    return nodeid.partition("::")[0]
