"""Serves the real EMHASS with a clock that stands still until the test sets it.

It runs in EMHASS's own interpreter, not in ours, and prints its port. POST /clock sets the clock to a time in
ISO 8601; all other requests are EMHASS's.
"""

import asyncio
import socket
import sys

from emhass.web_server import app
from quart import request
import time_machine
import uvicorn

_travels: list[time_machine.travel] = []


@app.route("/clock", methods=["POST"])
async def set_clock() -> str:
    """Set the clock to the time in the request."""
    if _travels:
        _travels.pop().stop()
    _travels.append(
        time_machine.travel((await request.get_data()).decode(), tick=False)
    )
    _travels[0].start()
    return ""


with socket.create_server(("127.0.0.1", 0)) as listener:
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    asyncio.run(server.serve(sockets=[listener]))
