"""Tests of the planner, against plain enumeration."""
