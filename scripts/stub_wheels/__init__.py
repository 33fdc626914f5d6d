"""Stubs of two compiled packages that Home Assistant's voice assistant needs.

They have no wheels for Python 3.14, and a bare machine has no compiler to build them. Home Assistant imports them at
startup but uses them only once somebody speaks; without them, the frontend hangs at its loading screen.
"""
