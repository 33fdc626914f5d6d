"""The soak test: a simulated year of a hub in which everything that can go wrong does.

- `clock`: moves time from one timer to the next, so that everything happens when it is scheduled.
- `faults`: the faults and their times, drawn from a seed; `recipes` and `hostile_bytes`: wrong responses.
- `proxy`: sits between hub and Nomos, records the requests and what was really delivered.
- `expected`: what a hub can know at an instant, independent of the integration.
- `house`: the hub with its disk: starts, stops, power cuts, new links; `disk`: whether writes succeed or fail.
- `checker`: compares the states with the expected ones; `budget`: counts requests; `audit`: checks that nothing else in
  Home Assistant is harmed.
- `report`: violations and figures as text.
- `runner`: injects the faults into `nomos`, the `grant` and the `hub`; `stage` holds these parts.
"""
