"""The collections of members, and the rules that are unique indexes."""

from __future__ import annotations

from services import contract
from services.chassis.records import Records, Unique
from services.members.domain import honour, organisation


class Organisations(Records[organisation.Organisation]):
    """Organisations; a dissolved one leaves its institution's place free."""

    kind = contract.members.Organisation.kind
    record = organisation.Organisation
    office = ("founding_meeting", "created_by")
    internal = ("name_norm",)
    unique = (
        Unique(
            "organisation_kind",
            "institution_id",
            refusal=organisation.InstitutionTaken,
            among={"state": organisation.ALIVE},
        ),
    )
    indexes = (("parent_id",), ("district",))


class Honours(Records[honour.Honour]):
    """Honours; each holder has one of each award, by its id."""

    kind = contract.members.Honour.kind
    record = honour.Honour
    indexes = (("holder_id",), ("award_id",))
