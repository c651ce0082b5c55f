"""Who works on a run, and whether they still do."""

from __future__ import annotations

import os

from crawler.worker_ids import is_gone, new_worker_id


def test_holders_that_are_gone():
    ours = new_worker_id()
    machine, _, _ = ours.rsplit(":", 2)
    assert not is_gone(ours, ours)
    assert not is_gone(ours, new_worker_id())  # the same process, which has opened its services twice
    assert is_gone(f"{machine}:{os.getpid()}:00000000", ours)
    assert not is_gone(f"{machine}:{os.getppid()}:00000000", ours)
    assert is_gone(f"{machine}:{2**22 + 1}:00000000", ours)
    assert not is_gone(f"elsewhere:{2**22 + 1}:00000000", ours)
    assert not is_gone("nonsense", ours)
