"""Random requests about awards."""

import pytest

from tests.gateway.api.fuzzing import LIMIT, PARTS, fuzz


@pytest.mark.timeout(LIMIT)
def test_no_answer_is_undocumented_in_any_role(addresses, keys):
    fuzz(addresses, keys, PARTS[0])
