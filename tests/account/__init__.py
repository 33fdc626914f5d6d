"""Tests of accounts without Home Assistant."""
