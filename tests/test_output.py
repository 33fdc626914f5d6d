"""Tests of what `scripts/test` prints."""

import logging


def test_what_is_logged_stays_off_the_terminal() -> None:
    """The handlers of the log are pytest's, which print only what belongs to a test that failed."""
    handlers = logging.getLogger().handlers
    assert handlers
    assert not [one for one in handlers if type(one) is logging.StreamHandler]
