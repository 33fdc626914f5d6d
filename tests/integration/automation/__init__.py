"""Tests of what automations, scripts and assistants call."""
