"""A stand-in for my.home-assistant.io, which redirects a browser to its own instance.

It works like the real service (home-assistant/my.home-assistant.io, my-redirect.ts). For an OAuth redirect, it asks
the customer first, and redirects to the instance's callback with `code`, `error` and `state` or, if the customer
declines, to the frontend's panel for My links. It redirects any other link to that panel with its query.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
import ssl
from urllib.parse import urlencode

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "my.home-assistant.io"


@asynccontextmanager
async def open_my_redirect(folder: Path, instance: str) -> AsyncIterator[int]:
    """Serve redirects to one instance; yield the local port that is listened on."""
    application = web.Application()

    async def redirect(request: web.Request) -> web.Response:
        name = request.match_info["name"].rstrip("/")
        if name == "oauth":
            return _ask(instance, request)
        raise web.HTTPFound(f"{instance}/_my_redirect/{name}?{request.query_string}")

    application.router.add_get("/redirect/{name:.*}", redirect)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=_certified(folder))
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


def _ask(instance: str, request: web.Request) -> web.Response:
    query = request.query
    if "state" not in query:
        return web.Response(status=400, text="Invalid parameters given.")
    kept = {key: query[key] for key in ("code", "error", "state") if query.get(key)}
    declined = {"error": query.get("error", "access_denied"), "state": query["state"]}
    link = f"{instance}/auth/external/callback?{urlencode(kept)}"
    decline = f"{instance}/_my_redirect/oauth?{urlencode(declined)}"
    body = (
        '<!doctype html><title>My</title><link rel="icon" href="data:,">'
        "<h1>Link account to Home Assistant?</h1>"
        f'<a id="decline" href="{escape(decline)}">Decline</a> '
    )
    if "error" not in query:
        body += f'<a id="link" href="{escape(link)}">Link account</a>'
    return web.Response(content_type="text/html", text=body)


def _certified(folder: Path) -> ssl.SSLContext:
    """Return a TLS context with a self-signed certificate that only the tests' browser accepts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "my.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    path.chmod(0o600)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context
