"""Nothing is lost, whatever is killed. `make bench-webhooks` does the same for long."""

from pathlib import Path

import pytest

from tests.api.webhooks.conftest import Subscribe
from tests.api.webhooks.receivers import receiving
from tests.api.webhooks.upheaval import DELIVERERS, WRITERS, Plan, go_through
from tests.effort import EFFORT


@pytest.mark.soak
def test_whatever_is_killed_all_is_read_and_received(database_url: str, tmp_path: Path, subscribe: Subscribe) -> None:
    with receiving() as receiver:
        secret = subscribe(receiver.url)["secret"]
        plan = Plan(changes=400 * EFFORT, kills=EFFORT, pause=0.1)
        told = go_through(database_url, tmp_path, receiver, secret, plan)
    assert list(told.faults()) == []
    assert len(told.stored) >= plan.changes
    assert len(told.kills) == WRITERS + DELIVERERS + 2
