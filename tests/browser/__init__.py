"""The card and the dashboard in a real browser, on a bare page: what Home Assistant would give them is made up here."""
