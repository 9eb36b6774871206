"""Views of the gateway's own records: the tokens that it issued, and which of them were revoked."""

from __future__ import annotations

from datetime import date
from typing import Literal

from services.contract.view import View, published_by

Role = Literal["viewer", "recorder", "verifier", "chair", "judge", "finance", "operator", "system"]


@published_by("gateway", happenings=("issued", "revoked"), counted=False)
class Token(View):
    """An issued token under its own id; the token itself is stored nowhere."""

    subject_id: str
    roles: tuple[Role, ...]
    district: str | None
    expires_on: date  # its last day
    state: Literal["active", "revoked"]
