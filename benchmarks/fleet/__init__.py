"""Simulates a day of a fleet of hubs, with the code that decides when a hub sends requests.

    .venv/bin/python -m benchmarks.fleet            # the tables
    .venv/bin/python -m benchmarks.fleet --write    # docs/fleet.md and its pictures
    .venv/bin/python -m benchmarks.fleet --million  # one day with all of a million hubs

What is real: all times of requests come from ``custom_components.nomos.schedule``, which is called for each hub and
each answer: daily requests, reasons, gaps, misses, pauses after 429, starts. Phases are the ``installation_phase`` of
invented installations.

What is modelled here, after ``account/``, ``prices/coordinator.py`` and ``usage/coordinator.py``:

- An account has one subscription with a smart meter. Contracts, prices and usage have a timer each, and wake within
  one and a half seconds after their time, as Home Assistant's coordinators do.
- A request needs an access token. One that expires within twenty seconds is refreshed first, which is a request of
  its own; a token lives an hour. The last token before the day has expired.
- After 429 no request of any kind is sent until the pause is over; a restart forgets the pause.
- If a connection is cut before the answer, aiohttp repeats a GET once. (It only does so on connections that were open
  before; counting it always is the worse case.)
- Yesterday's usage is there in time; settling a month and importing the past are not simulated.
- Nomos publishes all prices of tomorrow at once. Before that, an otherwise correct answer lacks them.
- Every answer comes within the second of its request; the hubs' clocks are right; nobody refreshes by hand.
- A hub takes 20 to 60 seconds from getting its power back to setting up the integration.

The day lasts from noon to noon, so that the midnight of a day without prices is in its middle.

A million hubs are not simulated one by one. Each hub of a sample of 40,000 stands for 25, a server's limit counts
windows of 25 seconds, and the busiest second of the million is read from the busiest 25 seconds of the sample. Both
hold the same number of draws from the same distribution as long as the load changes little within 25 seconds; since
the narrowest window of the schedule is a minute wide, it does. docs/fleet.md compares both ways for a million hubs, a
test for smaller fleets.
"""
