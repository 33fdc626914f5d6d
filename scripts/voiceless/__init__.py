"""Stand-ins for two compiled packages of Home Assistant's voice assistant.

They have no wheels for Python 3.14, and building them takes a compiler that a bare machine lacks. Home Assistant only
imports them until somebody speaks; without them the frontend does not get past its loading screen.
"""
