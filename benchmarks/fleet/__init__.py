"""Simulates a day of a whole fleet of hubs, with the code that decides on a hub when to send requests.

    .venv/bin/python -m benchmarks.fleet            # the tables
    .venv/bin/python -m benchmarks.fleet --write    # docs/fleet.md and its pictures
    .venv/bin/python -m benchmarks.fleet --million  # one day with every single one of a million hubs

What is real: every time at which a hub sends a request comes from ``custom_components.nomos.schedule``, which is called
for each hub and each answer: daily requests, reasons, gaps, misses, pauses after 429, starts. Phases are the
``installation_phase`` of invented identities.

What is modelled here, after ``account/``, ``prices/coordinator.py`` and ``usage/coordinator.py``:

- An account has one subscription with a smart meter. Contracts, prices and usage have a timer each, and wake within
  one and a half seconds after their time, as Home Assistant's coordinators do.
- A request needs an access token. One that expires within twenty seconds is refreshed first, which is a request of
  its own; a token lives an hour. The last token before the day has expired.
- After 429 no request of any kind is sent as long as the pause lasts; a restart forgets it.
- If a connection is cut unanswered, aiohttp sends a GET once more. (It does so on connections that were open before;
  counting it always is the worse case.)
- Yesterday's usage is there in time; settling a month and importing the past are not played.
- Nomos publishes all prices of tomorrow at once. Before that, they are missing from an otherwise right answer.
- Every answer comes within the second of its request; hubs have the right time; nobody refreshes by hand.
- A hub takes 20 to 60 seconds from getting its power back to setting up the integration.

The day lasts from noon to noon, so that the midnight of a day without prices is in its middle.

A million hubs are not simulated one by one. Every hub of a sample of 40,000 stands for 25, a server's limit counts
windows of 25 seconds, and the busiest second of the million is read from the busiest 25 seconds of the sample: both
hold the same number of draws from the same distribution as long as the load does not change much within 25 seconds,
which no window of the schedule does: the narrowest is a minute wide. docs/fleet.md compares; a test does so with
smaller fleets.
"""
