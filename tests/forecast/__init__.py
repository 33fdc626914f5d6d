"""Tests of what is expected of house and sun, without Home Assistant."""
