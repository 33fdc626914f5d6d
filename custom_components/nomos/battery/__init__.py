"""Home batteries: what to tell their inverters, and why."""
