"""What awards says of an award, for the tests of those who hear it."""

from services import contract
from services.contract.event import Event, read
from tests.awards.examples import a_grant

KIND = contract.awards.Award.kind
REVOKED = {"state": "revoked", "reason_code": "fraud", "revoked_on": "2011-07-01"}
UNSHOWN = {"exhibition_consent": False, "consent_withdrawn_on": "2011-06-15"}


def said(version, happened, *, award_id="e-1.1.7", **changes):
    """A version of a second prize that two pupils won with a work that may be shown."""
    event = Event(
        kind=KIND,
        record=award_id,
        version=version,
        happened=happened,
        time="2011-05-10T09:00:00.000+08:00",
        actor="u-zhang",
        cause=f"c-{version}",
        hash="0" * 64,
        data={**a_view(), **changes},
    )
    return read(event.write())


def a_view(**changes):
    return {**KIND.write(a_grant().record), "person_ids": ["p-1", "p-2"], "exhibition_consent": True, **changes}


def granted(version=1, **changes):
    return said(version, "granted", **changes)


def consent_withdrawn(version, **changes):
    return said(version, "consent_withdrawn", **{**UNSHOWN, **changes})


def revoked(version, **changes):
    return said(version, "revoked", **{**REVOKED, **changes})
