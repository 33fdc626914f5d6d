"""Tests of the forecasts of house and sun, without Home Assistant."""
