"""A day of a whole fleet of hubs at the API of Nomos, played with the code that decides on a hub when to ask.

    .venv/bin/python -m benchmarks.fleet            # the tables
    .venv/bin/python -m benchmarks.fleet --write    # docs/fleet.md and its pictures
    .venv/bin/python -m benchmarks.fleet --million  # one day with every single one of a million hubs

What is real: every instant at which a hub asks comes from ``custom_components.nomos.schedule``, which is imported and
called for each hub and each answer: first and second look, goals, gaps, misses, silence after 429, starts. Phases are
``installation_phase`` of made-up identities.

What is modelled here, after ``account.py``, ``coordinator.py``, ``usage.py`` and ``tokens.py``:

- An account has one subscription with a smart meter. Contracts, prices and usage have a timer each, and wake within
  one and a half seconds after their time, as Home Assistant's coordinators do.
- A request needs an access token. One that expires within twenty seconds is refreshed first, which is a request of
  its own; a token lives an hour. The last token before the day has expired.
- After 429 nothing is asked, for whatever purpose, as long as the silence lasts; a restart forgets it.
- Where connections are cut unanswered, aiohttp sends a GET once more. (It does so on connections that were open
  before; counting it always is the worse case.)
- Yesterday's usage is there in time; settling a month and importing the past are not played.
- Nomos publishes all prices of tomorrow at once. Before that, they are missing from an answer that else is right.
- Every answer comes within the second in which it was asked for; hubs have the right time; nobody presses a button.
- A hub takes 20 to 60 seconds from getting its power back to setting up the integration.

The day lasts from noon to noon, so that the midnight of a day without prices lies in its middle.

A million hubs are not played one by one. Every hub of a sample of 40,000 stands for 25, a server's limit counts
windows of 25 seconds, and the busiest second of the million is read from the busiest 25 seconds of the sample: both
hold the same number of draws from the same distribution as long as the load does not change much within 25 seconds,
which no window of the schedule does: the narrowest is a minute wide. docs/fleet.md compares; a test does so with
smaller fleets.
"""
