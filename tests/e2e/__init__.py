"""A real Home Assistant and a stand-in Nomos, as processes that talk over HTTP."""
