"""Tests of the integration with the real recorder and its database."""
