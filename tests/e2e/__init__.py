"""Tests with a real Home Assistant and a stand-in Nomos as processes that communicate over HTTP."""
