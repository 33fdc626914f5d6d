"""Tests of the planner, compared with plain enumeration."""
