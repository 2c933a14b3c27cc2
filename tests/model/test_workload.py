from __future__ import annotations

import pytest

from territory import Customers, InputError
from territory.model import default_measure, measure_values

BASE = {"id": ["a", "b"], "lon": [13.0, 13.5], "lat": [52.0, 52.5]}


def test_measures():
    plain = Customers(**BASE)
    assert default_measure(plain) == "count"
    assert measure_values(plain, "count").tolist() == [1.0, 1.0]
    cadence = Customers(**BASE, visit_interval_days=[7, None], measures={"potential": [3, 4]}, deal_value=[None, 5])
    assert default_measure(cadence) == "workload_s"
    assert measure_values(cadence, "workload_s").tolist() == [1800.0, 0.0]
    assert measure_values(cadence, "potential").tolist() == [3.0, 4.0]
    assert measure_values(cadence, "deal_value").tolist() == [0.0, 5.0]
    timed = Customers(**BASE, visit_interval_days=[14, 3.5], service_s=[600, 600], workload_s=[1, 2000])
    assert measure_values(timed, "workload_s").tolist() == [1.0, 2000.0]
    with pytest.raises(InputError, match="no measure 'workload_s'; there are: count"):
        measure_values(plain, "workload_s")
    with pytest.raises(InputError, match="no measure 'name'"):
        measure_values(plain, "name")
