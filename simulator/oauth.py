"""The OAuth 2.0 endpoints: metadata, authorization with its pages, and tokens."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
import secrets
from urllib.parse import quote, unquote_plus, urlencode, urlsplit

from . import pages
from .clock import Clock
from .customers import World, normalised
from .errors import ApiError, FieldError, bad_field
from .http import Request, Response
from .tokens import Client, TokenStore

_PASSCODE_LIFE = timedelta(minutes=10)
_SESSION_LIFE = timedelta(minutes=30)
_MAX_ATTEMPTS = 5


@dataclass(slots=True)
class _Session:
    """One customer's progress through the sign-in pages."""

    client_id: str
    redirect_uri: str
    state: str | None
    challenge: str | None
    method: str
    begun: datetime
    email: str | None = None
    passcode: str | None = None
    sent: datetime | None = None
    attempts: int = 0
    verified: bool = False


def origin(uri: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port of a redirect URI; None if it is invalid."""
    try:
        parts = urlsplit(uri)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        return None
    if (
        parts.scheme not in {"https", "http"}
        or not parts.hostname
        or parts.fragment
        or parts.username is not None
    ):
        return None
    return parts.scheme, parts.hostname, port


class OAuth:
    """Answers requests to `/oauth/…` and for the metadata."""

    def __init__(
        self, clock: Clock, world: World, tokens: TokenStore, known_secrets: set[str]
    ) -> None:
        """Start without clients, sessions or mail."""
        self._clock = clock
        self._world = world
        self._tokens = tokens
        self._secrets = known_secrets
        self._sessions: dict[str, _Session] = {}
        self._mailboxes: dict[str, str] = {}
        self.clients: dict[str, Client] = {}

    def mailbox(self, email: str) -> str | None:
        """Return the last one-time code sent to an address."""
        return self._mailboxes.get(normalised(email))

    # --- Metadata ----------------------------------------------------------------------------------------------

    async def metadata(self, request: Request) -> Response:
        """Return the RFC 8414 metadata exactly as Nomos publishes it, with the simulator's base URL."""
        base = str(request.raw.url.origin())
        return Response(
            200,
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/oauth/authorize",
                "token_endpoint": f"{base}/oauth/token",
                "response_types_supported": ["code"],
                "grant_types_supported": [
                    "authorization_code",
                    "client_credentials",
                    "refresh_token",
                ],
                "code_challenge_methods_supported": ["S256", "plain"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            },
        )

    # --- Authorization -----------------------------------------------------------------------------------------

    async def authorize(self, request: Request) -> Response:
        """Check the application's request and return the login page; an invalid request is never redirected."""
        try:
            session = self._check_request(request.query)
        except ApiError as err:
            return _or_page(request, err)
        value = secrets.token_urlsafe(24)
        self._secrets.add(value)
        now = self._clock.now()
        self._sessions = {
            key: item
            for key, item in self._sessions.items()
            if now - item.begun < _SESSION_LIFE
        }
        self._sessions[value] = session
        return _html(pages.email_page(value))

    def _check_request(self, query: Mapping[str, str]) -> _Session:
        if query.get("response_type") != "code":
            raise bad_field(
                "invalid_value", "response_type", "Only 'code' is supported"
            )
        client = self.clients.get(query.get("client_id", ""))
        if client is None:
            raise bad_field("invalid_value", "client_id", "Unknown client")
        redirect_uri = query.get("redirect_uri", "")
        wanted = origin(redirect_uri)
        if wanted is None or wanted not in {
            origin(registered) for registered in client.redirect_uris
        }:
            raise bad_field(
                "invalid_value", "redirect_uri", "Not registered for this client"
            )
        challenge = query.get("code_challenge")
        method = query.get("code_challenge_method")
        if (challenge is None) != (method is None):
            raise bad_field(
                "invalid_value",
                "code_challenge",
                "Needs code_challenge and code_challenge_method",
            )
        if method not in {None, "S256", "plain"}:
            raise bad_field(
                "invalid_value",
                "code_challenge_method",
                "Only S256 and plain are supported",
            )
        if challenge:
            self._secrets.add(challenge)
        return _Session(
            client.id,
            redirect_uri,
            query.get("state"),
            challenge,
            method or "",
            self._clock.now(),
        )

    async def email(self, request: Request) -> Response:
        """Handle the e-mail address: send the one-time code."""
        fields = await _form(request)
        key, session = self._session(fields)
        if session is None:
            return _session_expired()
        try:
            customer = self._world.customer(fields.get("email", ""))
        except KeyError:
            message = "We do not know this e-mail address. Please use the one of your contract."
            return _html(pages.email_page(key, fields.get("email", ""), message))
        session.email, session.attempts, session.verified = customer.email, 0, False
        self._send_passcode(session)
        return _html(pages.code_page(key, session.passcode))

    async def code(self, request: Request) -> Response:
        """Check the one-time code; it works once, for ten minutes and five attempts."""
        fields = await _form(request)
        key, session = self._session(fields)
        if session is None or session.email is None or session.sent is None:
            return _session_expired()
        if (
            session.attempts >= _MAX_ATTEMPTS
            or self._clock.now() - session.sent >= _PASSCODE_LIFE
        ):
            session.attempts = 0
            self._send_passcode(session)
            return _html(
                pages.code_page(
                    key,
                    session.passcode,
                    "This code has expired. We have sent you a new one.",
                )
            )
        if (
            session.passcode is None
            or fields.get("code", "").strip() != session.passcode
        ):
            session.attempts += 1
            message = "This is not the code that we have sent you."
            return _html(pages.code_page(key, session.passcode, message))
        session.passcode, session.verified = None, True
        return _html(pages.consent_page(key, session.client_id))

    async def consent(self, request: Request) -> Response:
        """Handle the customer's decision: redirect to the application."""
        fields = await _form(request)
        key, session = self._session(fields)
        decision = fields.get("decision")
        if (
            session is None
            or session.email is None
            or not session.verified
            or decision not in {"allow", "deny"}
        ):
            return _session_expired()
        del self._sessions[key]
        settings = request.settings
        if decision == "deny":
            if settings.denial == "page":
                return _html(pages.error_page("You have denied access."), 403)
            answer = {
                "error": "access_denied",
                "error_description": "The customer denied access",
            }
        else:
            answer = {
                "code": self._tokens.issue_code(
                    settings,
                    session.client_id,
                    session.email,
                    session.redirect_uri,
                    session.challenge,
                    session.method,
                )
            }
        if session.state is not None and settings.state != "drop":
            answer["state"] = (
                session.state if settings.state == "echo" else f"{session.state}x"
            )
        joint = "&" if urlsplit(session.redirect_uri).query else "?"
        location = f"{session.redirect_uri}{joint}{urlencode(answer, quote_via=quote, safe='')}"
        return Response(
            302, "", headers={"Location": location, "Cache-Control": "no-store"}
        )

    def _session(self, fields: Mapping[str, str]) -> tuple[str, _Session | None]:
        key = fields.get("session", "")
        session = self._sessions.get(key)
        if session is not None and self._clock.now() - session.begun >= _SESSION_LIFE:
            session = None
        return key, session

    def _send_passcode(self, session: _Session) -> None:
        session.passcode = f"{secrets.randbelow(10**6):06}"
        session.sent = self._clock.now()
        self._secrets.add(session.passcode)
        if session.email is not None:
            self._mailboxes[session.email] = session.passcode

    # --- Tokens ------------------------------------------------------------------------------------------------

    async def token(self, request: Request) -> Response:
        """Exchange a code or a refresh token."""
        fields = await self._token_fields(request)
        for name in ("code", "code_verifier", "refresh_token", "client_secret"):
            if value := fields.get(name):
                self._secrets.add(value)
        client = self._authenticate(request)
        match fields.get("grant_type"):
            case "authorization_code":
                answer = self._tokens.redeem_code(
                    request.settings,
                    client.id,
                    _required(fields, "code"),
                    fields.get("redirect_uri"),
                    fields.get("code_verifier"),
                )
            case "refresh_token":
                answer = self._tokens.refresh(
                    request.settings, client.id, _required(fields, "refresh_token")
                )
            case "client_credentials":
                raise ApiError(
                    401,
                    "This client may not use client_credentials",
                    rfc="unauthorized_client",
                )
            case None:
                raise bad_field("invalid_type", "grant_type", "Required")
            case _:
                raise ApiError(
                    400,
                    "invalid_value in 'grant_type'",
                    (FieldError("invalid_value", "grant_type", "Unknown grant type"),),
                    "unsupported_grant_type",
                )
        return Response(200, answer, headers={"Cache-Control": "no-store"})

    async def _token_fields(self, request: Request) -> dict[str, str]:
        accepted = request.settings.token_body
        if request.raw.content_type == "application/json":
            try:
                body = json.loads(await request.raw.text())
            except LookupError, ValueError:
                body = None
            if not isinstance(body, dict) or accepted == "form":
                raise ApiError(400, "The body cannot be read", rfc="invalid_request")
            fields = {
                str(key): value for key, value in body.items() if isinstance(value, str)
            }
        else:
            fields = await _form(request)
            if accepted == "json":
                raise ApiError(400, "The body must be JSON", rfc="invalid_request")
        request.body_keys = tuple(sorted(fields))
        request.grant_type = fields.get("grant_type")
        return fields

    def _authenticate(self, request: Request) -> Client:
        """Return the client by HTTP Basic; nothing else is accepted (client_secret_basic)."""
        scheme, _, blob = request.raw.headers.get("Authorization", "").partition(" ")
        refusal = ApiError(
            401,
            "Client authentication failed",
            rfc="invalid_client",
            headers={"WWW-Authenticate": 'Basic realm="Nomos"'},
        )
        if scheme.lower() != "basic":
            raise refusal
        request.basic_auth = True
        self._secrets.add(blob)
        try:
            decoded = base64.b64decode(blob, validate=True).decode()
        except binascii.Error, UnicodeDecodeError:
            raise refusal from None
        name, _, offered = decoded.partition(":")
        if request.settings.basic_encoding == "form":
            name, offered = unquote_plus(name), unquote_plus(offered)
        client = self.clients.get(name)
        if offered:
            self._secrets.add(offered)
        if client is None or not secrets.compare_digest(
            client.secret.encode(), offered.encode()
        ):
            raise refusal
        return client


def _required(fields: Mapping[str, str], name: str) -> str:
    if not (value := fields.get(name)):
        raise bad_field("invalid_type", name, "Required")
    return value


async def _form(request: Request) -> dict[str, str]:
    if request.raw.content_type != "application/x-www-form-urlencoded":
        return {}
    try:
        posted = await request.raw.post()
    except LookupError, ValueError:
        # An unknown charset, or bytes that are invalid in it.
        raise ApiError(400, "The body cannot be read", rfc="invalid_request") from None
    fields = {key: value for key, value in posted.items() if isinstance(value, str)}
    request.body_keys = tuple(sorted(fields))
    return fields


def _html(text: str, status: int = 200) -> Response:
    headers = {
        "Cache-Control": "no-store",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
    }
    return Response(status, text, content_type="text/html", headers=headers)


def _session_expired() -> Response:
    return _html(
        pages.error_page("This login has expired or was finished already."), 400
    )


def _or_page(request: Request, err: ApiError) -> Response:
    """Return a refusal as a page for a browser; raise it for a program."""
    if "text/html" not in request.raw.headers.get("Accept", ""):
        raise err
    message = err.errors[0].message if err.errors else err.message
    field = f" ({err.errors[0].field})" if err.errors else ""
    return _html(pages.error_page(f"{message}{field}."), err.status)
