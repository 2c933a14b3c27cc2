"""Addresses become places, or are named."""

from __future__ import annotations

import numpy as np
import pytest
from geopy.exc import GeocoderQuotaExceeded, GeocoderTimedOut
from geopy.location import Location

from territory.errors import InputError
from territory.io import geocode

HALL = Location("town hall", (48.1374, 11.5755), {})


class Service:
    """A geocoder that counts, and fails as it is told."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def geocode(self, address):
        self.asked.append(address)
        answer = self.answers.pop(0) if self.answers else HALL
        if isinstance(answer, Exception):
            raise answer
        return answer


def look_up(addresses, service, **options):
    return geocode(addresses, service.geocode, min_delay_s=0, **options)


def test_each_distinct_address_is_asked_once():
    service = Service()
    found = look_up(["Marienplatz 1", " Marienplatz 1", "Marienplatz 1"], service)
    assert service.asked == ["Marienplatz 1"]
    assert found.lon.tolist() == [11.5755] * 3
    assert found.lat.tolist() == [48.1374] * 3
    assert not found.problems


def test_what_is_not_found_or_blank_is_nan_and_named():
    found = look_up(["a", "", "b", "a"], Service(None, HALL))
    assert np.isnan(found.lon).tolist() == [True, True, False, True]
    assert {(p.message, p.count, p.rows) for p in found.problems} == {("not found", 2, (0, 3)), ("blank", 1, (1,))}


def test_a_failing_service_is_asked_again_and_then_named():
    patient = Service(GeocoderTimedOut(), HALL)
    assert not np.isnan(look_up(["a"], patient, max_retries=1).lon[0])
    broken = look_up(["a", "b"], Service(GeocoderQuotaExceeded()), max_retries=0)
    assert np.isnan(broken.lon).tolist() == [True, False]
    assert "GeocoderQuotaExceeded" in broken.problems[0].message


def test_no_addresses():
    assert len(look_up([], Service()).lon) == 0


@pytest.mark.parametrize(
    ("addresses", "options", "code"),
    [
        ([None], {}, "wrong-type"),
        (["a"], {"max_retries": -1}, "bad-retries"),
    ],
)
def test_bad_requests(addresses, options, code):
    with pytest.raises(InputError) as caught:
        look_up(addresses, Service(), **options)
    assert caught.value.codes == (code,)


def test_a_negative_delay_is_refused():
    with pytest.raises(InputError, match="min_delay_s"):
        geocode(["a"], Service().geocode, min_delay_s=-1)
