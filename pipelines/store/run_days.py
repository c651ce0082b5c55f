"""What the runs counted whose rows are gone, summed up by day."""

from __future__ import annotations


def add_to_run_days(sums: str) -> str:
    """The statement that adds *sums* to ``ingest.run_days``: a SELECT of source, day, kind and outcome, each once, then
    runs, took and the counts of pages in the order below."""
    return f"""
        INSERT INTO ingest.run_days AS known (
            source, day, kind, outcome, runs, took, new, new_version, unchanged, copy, rejected)
        {sums}
        ON CONFLICT (source, day, kind, outcome) DO UPDATE
        SET runs = known.runs + excluded.runs, took = known.took + excluded.took, new = known.new + excluded.new,
            new_version = known.new_version + excluded.new_version, unchanged = known.unchanged + excluded.unchanged,
            copy = known.copy + excluded.copy, rejected = known.rejected + excluded.rejected
    """
