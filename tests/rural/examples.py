"""Named examples of rural: the interesting values stand in the tests, the rest here."""

from datetime import date

from services.contract.rural import Voucher
from services.rural.domain.association import Association, Registration
from services.rural.domain.fund_grant import FundGrant
from services.rural.domain.service_point import Part, Parts, ServicePoint

A_PHOTO = "a" * 64
LATER = date(2012, 12, 31)  # today, where a test does not say which day it is


def an_association(**changes):
    """Tea growers of a township in Jiajiang, not official yet, with all papers."""
    usual = {
        "name": "夹江县吴场镇茶叶协会",
        "name_norm": "夹江县吴场镇茶叶协会",
        "industry": "茶叶",
        "township_code": "511126101",
        "members_count": 62,
        "households": 210,
        "charter_doc": "章程-2011",
        "leader_person_id": "p-luo",
    }
    return Association(**{**usual, **changes})


def a_registration(**changes):
    """With civil affairs, entered by u-li."""
    usual = {"kind": "civil", "no": "川乐社证字第101号", "on": date(2011, 3, 10), "entered_by": "u-li"}
    return Registration(**{**usual, **changes})


def a_registered_association(**changes):
    """The same, registered with civil affairs."""
    usual = {
        "state": "registered",
        "registrations": (a_registration(),),
        "official_numbers": ("civil:川乐社证字第101号",),
        "first_registered_on": date(2011, 3, 10),
    }
    return an_association(**{**usual, **changes})


def papers(**changes):
    """What comes in when an association is registered."""
    usual = {"registration_no": "川乐社证字第102号", "registered_on": date(2011, 4, 1), "today": LATER, "by": "u-li"}
    return {**usual, **changes}


def filing(**changes):
    """What comes in when an association is filed."""
    usual = {"filing_no": "吴府备〔2011〕7号", "filed_on": date(2011, 2, 1), "today": LATER, "by": "u-li"}
    return {**usual, **changes}


def a_part(state="planned", **changes):
    """A part in this state, built by u-li, with whom to call, accepted with a photo in May."""
    usual = {"state": state}
    if state != "planned":
        usual |= {"built_by": "u-li", "person_id": "p-he", "phone": "0833-0000000"}
    if state in ("accepted", "operating", "lapsed"):
        usual |= {"photo_ids": (A_PHOTO,), "stands_since": date(2011, 5, 10), "last_on": date(2011, 5, 9)}
    return Part(**{**usual, **changes})


def a_point(*, station="planned", column="planned", officer="planned", **changes):
    """A point with its parts in these states, or with these parts."""
    given = {"station": station, "column": column, "officer": officer}
    parts = Parts(**{name: part if isinstance(part, Part) else a_part(part) for name, part in given.items()})
    usual = {
        "name": "联合村科普惠农服务站",
        "village_code": "511126101203",
        "host_id": "a-1",
        "capacity": 80,
        "parts": parts,
    }
    return ServicePoint(**{**usual, **changes})


def a_complete_point(**changes):
    """All three parts accepted, complete since 12 May 2011."""
    usual = {
        "station": "accepted",
        "column": "accepted",
        "officer": "accepted",
        "completed_on": date(2011, 5, 12),
        "state": "complete",
    }
    return a_point(**{**usual, **changes})


def an_acceptance(part, **changes):
    """What comes in when u-wang accepts a part on 12 May."""
    usual = {
        "part": part,
        "accepted_on": date(2011, 5, 12),
        "photo_ids": (A_PHOTO,),
        "content_on": date(2011, 5, 11),
        "today": LATER,
        "by": "u-wang",
    }
    return {**usual, **changes}


def a_decision(**changes):
    """600,000 yuan of the centre, by a document of the centre, taken down by the chair."""
    usual = {
        "source_level": "central",
        "approved_fen": 60_000_000,
        "approved_on": date(2011, 6, 1),
        "decision_doc_no": "财教〔2011〕140号",
        "issuer_level": "central",
        "district": "511126",
        "today": LATER,
        "by": "u-chair",
    }
    return {**usual, **changes}


def a_grant(**changes):
    """That decision as a grant of which nothing has arrived yet."""
    usual = {**a_decision(), "original_doc_no": None, "approved_by": "u-chair"}
    del usual["today"], usual["by"]
    return FundGrant(**{**usual, **changes})


def a_received_grant(**changes):
    """100,000 yuan of it arrived by voucher V-1."""
    usual = {
        "vouchers": (Voucher(voucher_no="V-1", fen=10_000_000, received_on=date(2011, 7, 1)),),
        "voucher_keys": ("v-1",),
        "state": "received",
    }
    return a_grant(**{**usual, **changes})


def money(**changes):
    """What comes in when the finance clerk takes in 100,000 yuan."""
    usual = {"voucher_no": "V-2", "fen": 10_000_000, "received_on": date(2011, 7, 2), "today": LATER, "by": "u-finance"}
    return {**usual, **changes}
