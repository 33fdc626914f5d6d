"""Tests of what customers see: the frontend of a real Home Assistant in a real browser."""
