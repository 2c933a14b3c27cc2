"""Column names of common CRM exports.

Each maps this library's column to the names that it goes by in the export, the usual first. A
preset takes what is there: only id, lon and lat must be found.
"""

from __future__ import annotations

from typing import Final

__all__ = ["PRESETS"]

#: preset -> column -> names in the export
PRESETS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    # API and report names of the standard Account object
    "salesforce": {
        "id": ("Id", "Account ID", "AccountId", "AccountNumber"),
        "lon": ("BillingLongitude", "Billing Longitude", "ShippingLongitude", "Shipping Longitude"),
        "lat": ("BillingLatitude", "Billing Latitude", "ShippingLatitude", "Shipping Latitude"),
        "name": ("Name", "Account Name"),
        "owner": ("OwnerId", "Owner ID", "Account Owner", "Owner.Name"),
        "segment": ("Type", "Account Type", "Segment"),
        # Hot, Warm and Cold, unless the administrator has changed the words
        "temperature": ("Rating", "Account Rating"),
        "last_visit": ("LastActivityDate", "Last Activity"),
    },
    # company exports; latitude and longitude are custom properties there
    "hubspot": {
        "id": ("Record ID", "hs_object_id", "Company ID"),
        "lon": ("Longitude", "longitude", "hs_longitude"),
        "lat": ("Latitude", "latitude", "hs_latitude"),
        "name": ("Company name", "name"),
        "owner": ("Company owner", "hubspot_owner_id"),
        "last_visit": ("Last Activity Date", "notes_last_updated"),
    },
    # the Account table of Dataverse: logical names, then display names
    "dynamics": {
        "id": ("accountnumber", "Account Number", "accountid", "Account"),
        "lon": ("address1_longitude", "Address 1: Longitude"),
        "lat": ("address1_latitude", "Address 1: Latitude"),
        "name": ("name", "Account Name"),
        "owner": ("ownerid", "Owner"),
        "segment": ("accountratingcode", "Account Rating"),
        "last_visit": ("Last Visit", "Last Appointment"),
    },
}
