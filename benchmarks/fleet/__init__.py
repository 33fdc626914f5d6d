"""Simulates a day of a fleet of hubs, with the code that decides when a hub sends requests.

    .venv/bin/python -m benchmarks.fleet            # the tables
    .venv/bin/python -m benchmarks.fleet --write    # docs/fleet.md and its pictures
    .venv/bin/python -m benchmarks.fleet --million  # one day with all of a million hubs

What is real: all times of requests come from ``custom_components.nomos.schedule``, which is called for each hub and
each response: daily requests, reasons, gaps, misses, pauses after 429, starts. Phases are the ``installation_phase`` of
fictional installations.

What is modelled here, after ``account/``, ``prices/coordinator.py`` and ``usage/coordinator.py``:

- An account has one subscription with a smart meter. Contracts, prices and usage have a timer each, which fires within
  one and a half seconds after its time, as in Home Assistant's coordinators.
- A request needs an access token. One that expires within twenty seconds is refreshed first, which is an extra
  request; a token is valid for an hour. The last token from before the day has expired.
- After 429 no request of any kind is sent until the pause is over; a restart forgets the pause.
- If a connection is cut before the response, aiohttp repeats a GET once. (It only does so on connections that were
  open before; always counting it is the worst case.)
- Yesterday's usage is available in time; settling a month and importing the past are not simulated.
- Nomos publishes all prices of tomorrow at once. Before that, an otherwise correct response lacks them.
- Every response arrives within the second of its request; the hubs' clocks are right; nobody refreshes manually.
- A hub takes 20 to 60 seconds from power-on to the setup of the integration.

The day lasts from noon to noon, so that the midnight of a day without prices is in its middle.

A million hubs are not simulated one by one. Each hub of a sample of 40,000 represents 25, the server's limit applies to
windows of 25 seconds, and the busiest second of the million is estimated by the busiest 25 seconds of the sample. Both
contain the same number of draws from the same distribution as long as the load changes little within 25 seconds, which
holds since the narrowest window of the schedule is a minute wide. docs/fleet.md compares both ways for a million
hubs, a test for smaller fleets.
"""
