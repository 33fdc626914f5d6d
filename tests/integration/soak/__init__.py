"""The soak: a simulated year of a house, with everything going wrong that can go wrong.

- `clock`: moves time from one timer to the next, so that whatever is scheduled happens when it is scheduled.
- `faults`: what goes wrong and when, drawn from a seed; `recipes` and `hostile`: answers that are wrong.
- `proxy`: sits between house and Nomos and notes what was asked and what was really delivered.
- `expected`: what a house can know at an instant, worked out without looking at the integration.
- `house`: the hub with its disk: starts, stops, power cuts, new links; `disk`: what the operating system says to writes.
- `checker`: compares what is shown with the expected; `budget`: counts requests; `audit`: whether all else goes unharmed.
- `report`: violations and figures as text.
- `runner`: lets the faults happen on a `stage`: to `nomos`, to the grant (`grant`) and to the `hub`.
"""
