from __future__ import annotations

import pytest

from territory import Customers, Reps
from territory.model.columns import columns_of
from territory.model.presets import PRESETS

EXPORTS = {
    "salesforce": [
        {"Id": ["001"], "Name": ["Acme"], "BillingLongitude": [13.4], "BillingLatitude": [52.5], "OwnerId": ["005"],
         "Rating": ["Hot"], "Type": ["Customer - Direct"], "LastActivityDate": ["2026-01-02"]},
        {"Account ID": ["001"], "Account Name": ["Acme"], "Billing Longitude": [13.4], "Billing Latitude": [52.5],
         "Account Owner": ["005"], "Rating": ["hot"], "Type": ["Customer - Direct"], "Last Activity": ["2026-01-02"]},
    ],
    "hubspot": [
        {"Record ID": ["001"], "Company name": ["Acme"], "Longitude": [13.4], "Latitude": [52.5],
         "Company owner": ["005"], "Last Activity Date": ["2026-01-02 10:30"]},
        {"hs_object_id": ["001"], "name": ["Acme"], "longitude": [13.4], "latitude": [52.5],
         "hubspot_owner_id": ["005"], "notes_last_updated": ["2026-01-02"]},
    ],
    "dynamics": [
        {"accountnumber": ["001"], "name": ["Acme"], "address1_longitude": [13.4], "address1_latitude": [52.5],
         "ownerid": ["005"]},
        {"Account Number": ["001"], "Account Name": ["Acme"], "Address 1: Longitude": [13.4],
         "Address 1: Latitude": [52.5], "Owner": ["005"]},
    ],
}  # fmt: skip


@pytest.mark.parametrize(("preset", "frame"), [(k, f) for k, frames in EXPORTS.items() for f in frames])
def test_exports(preset, frame):
    table = Customers.from_frame(frame, preset=preset)
    row = table[0]
    assert (row.id, row.name, row.lon, row.lat, row.owner) == ("001", "Acme", 13.4, 52.5, "005")
    assert table.diagnostics == ()
    if preset == "salesforce":
        assert (row.temperature, row.segment) == (2, "Customer - Direct")
    if preset != "dynamics":
        assert str(row.last_visit) == "2026-01-02"


def test_columns_named_by_hand_win():
    frame = {**EXPORTS["salesforce"][0], "ShopLon": [9.9]}
    table = Customers.from_frame(frame, preset="salesforce", columns={"lon": "ShopLon", "temperature": None})
    assert table.lon.tolist() == [9.9]
    assert table.temperature is None


def test_presets_name_columns_that_exist():
    known = {*columns_of(Customers), *columns_of(Reps)}
    assert all(set(columns) <= known for columns in PRESETS.values())
