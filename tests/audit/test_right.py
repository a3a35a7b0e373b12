"""What is as it should be passes."""
from __future__ import annotations

import pytest
from audit.applications import FENCE
from audit.conftest import Auditing

BOTH = pytest.mark.parametrize("framework", ["flask", "quart"])


@BOTH
@pytest.mark.parametrize("fence", ["", FENCE], ids=["decorators", "fence"])
def test_an_application_as_it_should_be_passes(audit: Auditing, framework: str, fence: str) -> None:
    found = audit(framework, fence)
    print(found.text)
    assert set(found.outcomes.values()) == {"PASSED"}
    assert 0
