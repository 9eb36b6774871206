"""Separation of duties (X-05)."""

import pytest

from services.kernel.duty import SamePerson, separate


@pytest.mark.rule("X-05")
def test_whoever_entered_a_figure_does_not_verify_it_and_anybody_else_may():
    with pytest.raises(SamePerson, match="entered_by=u-li"):
        separate(entered_by="u-li", by="u-li")

    separate(entered_by="u-li", by="u-wang")
