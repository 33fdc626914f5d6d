"""Tests of the forecasts in a real Home Assistant."""
