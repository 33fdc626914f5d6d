"""Tests of the integration with the real recorder and its database, from the first question after usage on."""
