"""Input of each command and question about an award."""

from __future__ import annotations

from services import contract
from services.chassis.fields import Many, OneOf, Ref, Schema, Text
from services.contract.awards import RevocationReason


class AwardId(Ref):
    """The id of a notice, a point, and the number of a line."""

    def __init__(self) -> None:
        super().__init__(contract.awards.Award)
        self.max += len(".1000")


class IssueCertificate(Schema):
    """The names to print, and the reason of a second print."""

    award_id = AwardId()
    names = Many(Text(max=50), min=1, max=20)
    reason = Text(max=500, required=False)  # the rules say when it is needed


class WithdrawExhibitionConsent(Schema):
    award_id = AwardId()


class RevokeAward(Schema):
    """The document and the reason of the revocation."""

    award_id = AwardId()
    document_no = Text(max=100, required=False)  # the rules say when it is needed
    reason_code = OneOf(RevocationReason)
    reason = Text(max=500)


class CertificateOf(Schema):
    award_id = AwardId()


class CheckCertificate(Schema):
    """The number and the code on a certificate."""

    certificate_no = Text(max=60)
    code = Text(max=60)
