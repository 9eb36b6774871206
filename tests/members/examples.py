"""Named examples of members: the interesting values stand in the tests, the rest here."""

from datetime import date

from services.members.domain.organisation import FoundingMeeting, Organisation

LATER = date(2011, 12, 31)  # today, where a test does not say which day it is


def a_meeting(**changes):
    """45 of 50 delegates came on 20 May 2011, adopted the charter and elected a chair."""
    usual = {
        "on": date(2011, 5, 20),
        "called": 50,
        "attended": 45,
        "minutes_doc": "纪要-2011-5",
        "charter_doc": "章程-2011",
        "chair_person_id": "p-zhao",
    }
    return FoundingMeeting(**{**usual, **changes})


def an_organisation(**changes):
    """The association of Leshan's normal university, entered by u-li."""
    usual = {
        "name": "乐山师范学院科学技术协会",
        "name_norm": "乐山师范学院科学技术协会",
        "organisation_kind": "university",
        "institution_id": "univ-lsnu",
        "district": "511102",
        "workers_count": 640,
        "created_by": "u-li",
    }
    return Organisation(**{**usual, **changes})


def an_approved_organisation(**changes):
    """The same, approved and founded, not established yet."""
    usual = {"approval_doc_no": "乐科协〔2011〕12号", "founding_meeting": a_meeting(), "state": "approved"}
    return an_organisation(**{**usual, **changes})


def a_statement(**changes):
    """What comes in when it is entered."""
    usual = {
        "name": "乐山师范学院科学技术协会",
        "organisation_kind": "university",
        "institution_id": "univ-lsnu",
        "district": "511102",
        "workers_count": 640,
        "by": "u-li",
    }
    return {**usual, **changes}


def minutes(**changes):
    """What comes in when its founding meeting is taken down."""
    usual = {
        "held_on": date(2011, 5, 20),
        "called": 50,
        "attended": 45,
        "minutes_doc": "纪要-2011-5",
        "charter_doc": "章程-2011",
        "chair_person_id": "p-zhao",
        "today": LATER,
    }
    return {**usual, **changes}


def an_establishment(**changes):
    """What comes in when it is established on 1 June 2011."""
    return {"established_on": date(2011, 6, 1), "today": LATER, **changes}
