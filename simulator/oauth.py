"""The OAuth 2.0 endpoints: metadata, authorization with its pages, and tokens."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
import json
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote_plus, urlencode, urlsplit

from . import pages
from .call import Call, Reply
from .errors import ApiError, FieldError, bad_field
from .tokens import Client

if TYPE_CHECKING:
    from .simulator import Simulator

_PASSCODE_LIFE = timedelta(minutes=10)
_SESSION_LIFE = timedelta(minutes=30)
_TRIES = 5


@dataclass(slots=True)
class _Session:
    """One customer's way through the pages."""

    client_id: str
    redirect_uri: str
    state: str | None
    challenge: str | None
    method: str
    begun: datetime
    email: str | None = None
    passcode: str | None = None
    sent: datetime | None = None
    tries: int = 0
    verified: bool = False


def origin(uri: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port of a redirect URI; None when it is unfit to be one."""
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
    """Answers for `/oauth/…` and the metadata."""

    def __init__(self, simulator: Simulator) -> None:
        """Start without sessions and with empty mailboxes."""
        self._simulator = simulator
        self._sessions: dict[str, _Session] = {}
        self._mailboxes: dict[str, str] = {}
        self.clients: dict[str, Client] = {}

    def mailbox(self, email: str) -> str | None:
        """Return the last one-time code sent to an address."""
        return self._mailboxes.get(email.strip().lower())

    # --- Metadata ----------------------------------------------------------------------------------------------

    async def metadata(self, _call: Call) -> Reply:
        """RFC 8414 metadata, word for word what Nomos publishes, with the own base."""
        base = self._simulator.url
        return Reply(
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

    async def authorize(self, call: Call) -> Reply:
        """Check the application's request and show the login page; a wrong request is never redirected."""
        try:
            session = self._check_request(call.query)
        except ApiError as err:
            return _or_page(call, err)
        value = secrets.token_urlsafe(24)
        self._simulator.keep_secret(value)
        now = self._simulator.clock.now()
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
        challenge, method = (
            query.get("code_challenge"),
            query.get("code_challenge_method"),
        )
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
            self._simulator.keep_secret(challenge)
        return _Session(
            client.id,
            redirect_uri,
            query.get("state"),
            challenge,
            method or "",
            self._simulator.clock.now(),
        )

    async def email(self, call: Call) -> Reply:
        """Take the e-mail address and send the one-time code."""
        fields = await _form(call)
        key, session = self._session(fields)
        if session is None:
            return _lost()
        customer = self._simulator.world.customer(fields.get("email", ""))
        if customer is None:
            message = "We do not know this e-mail address. Please use the one of your contract."
            return _html(pages.email_page(key, fields.get("email", ""), message))
        session.email, session.tries, session.verified = customer.email, 0, False
        self._send_passcode(session)
        return _html(pages.code_page(key, session.passcode))

    async def code(self, call: Call) -> Reply:
        """Take the one-time code; it works once, for ten minutes and five tries."""
        fields = await _form(call)
        key, session = self._session(fields)
        if session is None or session.email is None or session.sent is None:
            return _lost()
        if (
            session.tries >= _TRIES
            or self._simulator.clock.now() - session.sent >= _PASSCODE_LIFE
        ):
            session.tries = 0
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
            session.tries += 1
            message = "This is not the code that we have sent you."
            return _html(pages.code_page(key, session.passcode, message))
        session.passcode, session.verified = None, True
        return _html(pages.consent_page(key, session.client_id))

    async def consent(self, call: Call) -> Reply:
        """Take the customer's decision and go back to the application."""
        fields = await _form(call)
        key, session = self._session(fields)
        decision = fields.get("decision")
        if (
            session is None
            or session.email is None
            or not session.verified
            or decision not in {"allow", "deny"}
        ):
            return _lost()
        del self._sessions[key]
        settings = self._simulator.current_settings
        if decision == "deny":
            if settings.denial == "page":
                return _html(pages.error_page("You have denied access."), 403)
            answer = {
                "error": "access_denied",
                "error_description": "The customer denied access",
            }
        else:
            answer = {
                "code": self._simulator.tokens.issue_code(
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
        return Reply(
            302, "", headers={"Location": location, "Cache-Control": "no-store"}
        )

    def _session(self, fields: Mapping[str, str]) -> tuple[str, _Session | None]:
        key = fields.get("session", "")
        session = self._sessions.get(key)
        if (
            session is not None
            and self._simulator.clock.now() - session.begun >= _SESSION_LIFE
        ):
            session = None
        return key, session

    def _send_passcode(self, session: _Session) -> None:
        session.passcode = f"{secrets.randbelow(10**6):06}"
        session.sent = self._simulator.clock.now()
        self._simulator.keep_secret(session.passcode)
        if session.email is not None:
            self._mailboxes[session.email] = session.passcode

    # --- Tokens ------------------------------------------------------------------------------------------------

    async def token(self, call: Call) -> Reply:
        """Exchange a code or a refresh token."""
        fields = await self._token_fields(call)
        for name in ("code", "code_verifier", "refresh_token", "client_secret"):
            if value := fields.get(name):
                self._simulator.keep_secret(value)
        client = self._authenticate(call)
        version = self._simulator.current_settings.default_version
        tokens = self._simulator.tokens
        match fields.get("grant_type"):
            case "authorization_code":
                answer = tokens.redeem_code(
                    client.id,
                    _required(fields, "code"),
                    fields.get("redirect_uri"),
                    fields.get("code_verifier"),
                    version,
                )
            case "refresh_token":
                answer = tokens.refresh(
                    client.id, _required(fields, "refresh_token"), version
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
        return Reply(200, answer, headers={"Cache-Control": "no-store"})

    async def _token_fields(self, call: Call) -> dict[str, str]:
        accepted = self._simulator.current_settings.token_body
        if call.request.content_type == "application/json":
            try:
                body = json.loads(await call.request.text())
            except LookupError, ValueError:
                body = None
            if not isinstance(body, dict) or accepted == "form":
                raise ApiError(400, "The body cannot be read", rfc="invalid_request")
            fields = {
                str(key): value for key, value in body.items() if isinstance(value, str)
            }
        else:
            fields = await _form(call)
            if accepted == "json":
                raise ApiError(400, "The body must be JSON", rfc="invalid_request")
        call.body_keys = tuple(sorted(fields))
        call.grant_type = fields.get("grant_type")
        return fields

    def _authenticate(self, call: Call) -> Client:
        """Return the client that HTTP Basic names; nothing else is accepted (client_secret_basic)."""
        scheme, _, blob = call.request.headers.get("Authorization", "").partition(" ")
        refusal = ApiError(
            401,
            "Client authentication failed",
            rfc="invalid_client",
            headers={"WWW-Authenticate": 'Basic realm="Nomos"'},
        )
        if scheme.lower() != "basic":
            raise refusal
        call.basic_auth = True
        self._simulator.keep_secret(blob)
        try:
            decoded = base64.b64decode(blob, validate=True).decode()
        except binascii.Error, UnicodeDecodeError:
            raise refusal from None
        name, _, offered = decoded.partition(":")
        if self._simulator.current_settings.basic_encoding == "form":
            name, offered = unquote_plus(name), unquote_plus(offered)
        client = self.clients.get(name)
        if offered:
            self._simulator.keep_secret(offered)
        if client is None or not secrets.compare_digest(
            client.secret.encode(), offered.encode()
        ):
            raise refusal
        return client


def _required(fields: Mapping[str, str], name: str) -> str:
    if not (value := fields.get(name)):
        raise bad_field("invalid_type", name, "Required")
    return value


async def _form(call: Call) -> dict[str, str]:
    if call.request.content_type != "application/x-www-form-urlencoded":
        return {}
    try:
        posted = await call.request.post()
    except LookupError, ValueError:
        # An unknown charset, or bytes that are none of it.
        raise ApiError(400, "The body cannot be read", rfc="invalid_request") from None
    fields = {key: value for key, value in posted.items() if isinstance(value, str)}
    call.body_keys = tuple(sorted(fields))
    return fields


def _html(text: str, status: int = 200) -> Reply:
    headers = {
        "Cache-Control": "no-store",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
    }
    return Reply(status, text, content_type="text/html", headers=headers)


def _lost() -> Reply:
    return _html(
        pages.error_page("This login has expired or was finished already."), 400
    )


def _or_page(call: Call, err: ApiError) -> Reply:
    """Show a refusal to a person as a page; let it go on as the envelope for a program."""
    if "text/html" not in call.request.headers.get("Accept", ""):
        raise err
    message: Any = err.errors[0].message if err.errors else err.message
    field = f" ({err.errors[0].field})" if err.errors else ""
    return _html(pages.error_page(f"{message}{field}."), err.status)
