"""The values that travel between processes and rooms."""

from __future__ import annotations

import pickle

import pytest

from pipelines.items import Reason, Rejected


@pytest.mark.parametrize(("detail", "said"), [("", "no_title"), ("<h1> is empty", "no_title: <h1> is empty")])
def test_a_rejection_crosses_a_process_boundary_with_its_reason(detail: str, said: str):
    rejected = pickle.loads(pickle.dumps(Rejected(Reason.NO_TITLE, detail)))
    assert (rejected.reason, rejected.detail, str(rejected)) == (Reason.NO_TITLE, detail, said)
