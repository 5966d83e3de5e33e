"""How long a report takes: every fit of it is counted."""

import pytest

from neuroclass.reports import build
from neuroclass.reports.estimate import N_RETRAINED, report_fits, report_seconds


def test_the_time_of_a_report_counts_the_fits_of_every_system() -> None:
    fits = report_fits("lspin", baselines=True)
    assert fits["svc"] == fits["lspin-paper"] == 25 + 5
    assert "svc" not in report_fits("lspin", baselines=False)
    assert report_seconds("dann", True, 10.0, 1) > report_seconds("dann", False, 10.0, 1)
    assert report_seconds("dann", False, 10.0, 2) == pytest.approx(report_seconds("dann", False, 10.0, 1) / 2)
    assert len(build.STABILITY_SEEDS) == N_RETRAINED
