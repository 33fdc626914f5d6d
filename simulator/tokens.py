"""Grants: authorization codes, access and refresh tokens, their rotation and revocation."""

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
import hashlib
import hmac
import json
import secrets
from typing import Any

from .clock import Clock
from .errors import ApiError
from .settings import Settings


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth client as Nomos's support would register it."""

    id: str
    secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]


@dataclass(slots=True)
class Code:
    """An authorization code that was issued."""

    client_id: str
    email: str
    redirect_uri: str
    challenge: str | None
    method: str
    expires: datetime
    used: bool = False
    grant: Grant | None = None


@dataclass(slots=True, eq=False)
class Grant:
    """One consent of one customer to one client."""

    client_id: str
    email: str
    revoked: bool = False


@dataclass(slots=True)
class _Access:
    grant: Grant
    expires: datetime
    invalidated: bool = False


@dataclass(slots=True)
class _Refresh:
    grant: Grant
    issued: datetime
    used: datetime | None = None


def challenge_of(verifier: str, method: str) -> str:
    """Return the PKCE challenge (RFC 7636) that belongs to a verifier."""
    if method == "plain":
        return verifier
    return _base64url(hashlib.sha256(verifier.encode()).digest())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenStore:
    """Issues, checks and ends codes and tokens. It adds every value that it creates to the known secrets."""

    def __init__(self, clock: Clock, known_secrets: set[str]) -> None:
        """Start without grants."""
        self._clock = clock
        self._secrets = known_secrets
        self._codes: dict[str, Code] = {}
        self._access: dict[str, _Access] = {}
        self._refresh: dict[str, _Refresh] = {}
        self._grants: list[Grant] = []

    # --- Codes -------------------------------------------------------------------------------------------------

    def issue_code(
        self,
        settings: Settings,
        client_id: str,
        email: str,
        redirect_uri: str,
        challenge: str | None,
        method: str,
    ) -> str:
        """Return a new authorization code; it contains a `/`, as the documentation's sample does."""
        code = f"4/{secrets.token_urlsafe(24)}"
        self._secrets.add(code)
        expires = self._clock.now() + timedelta(seconds=settings.code_lifetime)
        self._codes[code] = Code(
            client_id, email, redirect_uri, challenge, method, expires
        )
        return code

    def redeem_code(
        self,
        settings: Settings,
        client_id: str,
        value: str,
        redirect_uri: str | None,
        verifier: str | None,
    ) -> dict[str, Any]:
        """Exchange a code for tokens, or refuse it."""
        code = self._codes.get(value)
        if code is None or code.client_id != client_id:
            raise _refusal(settings, 401, "The authorization code is invalid")
        if code.used:
            if settings.code_reuse_revokes and code.grant is not None:
                self._end(code.grant, immediate=True)
            raise _refusal(settings, 401, "The authorization code was used already")
        if code.expires <= self._clock.now():
            raise _refusal(settings, 401, "The authorization code has expired")
        if redirect_uri is not None and redirect_uri != code.redirect_uri:
            raise _refusal(
                settings,
                400,
                "The redirect_uri differs from the one of the authorization request",
            )
        # From here on the code is used up, even by a wrong verifier: there is only one attempt.
        code.used = True
        if code.challenge is not None:
            offered = "" if verifier is None else challenge_of(verifier, code.method)
            if not hmac.compare_digest(offered.encode(), code.challenge.encode()):
                raise _refusal(
                    settings, 400, "The code_verifier is missing or does not match"
                )
        code.grant = self._open_grant(settings, client_id, code.email)
        return self._answer(settings, code.grant)

    def _open_grant(self, settings: Settings, client_id: str, email: str) -> Grant:
        if settings.second_consent_revokes:
            for grant in self._grants:
                if grant.client_id == client_id and grant.email == email:
                    self._end(grant, immediate=True)
        grant = Grant(client_id, email)
        self._grants.append(grant)
        return grant

    # --- Tokens ------------------------------------------------------------------------------------------------

    def issue(self, settings: Settings, client_id: str, email: str) -> dict[str, Any]:
        """Return the token endpoint's response for a new consent."""
        return self._answer(settings, self._open_grant(settings, client_id, email))

    def refresh(self, settings: Settings, client_id: str, value: str) -> dict[str, Any]:
        """Exchange a refresh token for new tokens, or refuse it."""
        now = self._clock.now()
        token = self._refresh.get(value)
        if token is None or token.grant.client_id != client_id or token.grant.revoked:
            raise _refusal(settings, 401, "The refresh token is invalid")
        if settings.refresh_lifetime is not None and now - token.issued >= timedelta(
            seconds=settings.refresh_lifetime
        ):
            raise _refusal(settings, 401, "The refresh token has expired")
        if settings.rotation == "none":
            return self._answer(settings, token.grant, rotate=False)
        if token.used is not None:
            graceful = settings.rotation == "grace" and now - token.used < timedelta(
                seconds=settings.grace_seconds
            )
            if not graceful:
                if settings.rotation == "family":
                    self._end(token.grant, immediate=True)
                raise _refusal(settings, 401, "The refresh token was used already")
        token.used = token.used or now
        return self._answer(settings, token.grant)

    def authenticate(self, value: str) -> str | None:
        """Return the customer's e-mail address for a valid access token, else None."""
        token = self._access.get(value)
        if token is None or token.invalidated or token.expires <= self._clock.now():
            return None
        return token.grant.email

    # --- Revocation --------------------------------------------------------------------------------------------

    def revoke(self, email: str, *, immediate: bool) -> None:
        """End all of a customer's consents; `immediate` invalidates the access tokens as well."""
        for grant in self._grants:
            if grant.email == email:
                self._end(grant, immediate=immediate)

    def invalidate_access(self, email: str | None) -> None:
        """Invalidate the access tokens of a customer, or all; refresh tokens stay valid."""
        for token in self._access.values():
            if email is None or token.grant.email == email:
                token.invalidated = True

    def _end(self, grant: Grant, *, immediate: bool) -> None:
        grant.revoked = True
        if immediate:
            for token in self._access.values():
                if token.grant is grant:
                    token.invalidated = True

    def _answer(
        self, settings: Settings, grant: Grant, *, rotate: bool = True
    ) -> dict[str, Any]:
        now = self._clock.now()
        expires = now + timedelta(seconds=settings.expires_in)
        self._drop_expired(now)
        access = self._jwt(now, expires)
        self._access[access] = _Access(grant, expires)
        answer: dict[str, Any] = {
            "access_token": access,
            "token_type": settings.token_type,
            "expires_in": settings.expires_in,
        }
        if settings.expires_in_text:
            answer["expires_in"] = str(settings.expires_in)
        if rotate:
            refresh = secrets.token_hex(32)
            self._secrets.add(refresh)
            self._refresh[refresh] = _Refresh(grant, now)
            answer["refresh_token"] = refresh
        if settings.scope is not None:
            answer["scope"] = settings.scope
        if settings.token_extra_fields:
            answer |= {
                "created_at": int(now.timestamp()),
                "x_simulated": {"unknown": True},
            }
        return answer

    def _jwt(self, now: datetime, expires: datetime) -> str:
        """Return a token that looks like a JWT; the server does not read it."""
        header = {"alg": "HS256", "typ": "JWT"}
        payload = {
            "roles": ["customer"],
            "jti": secrets.token_hex(8),
            "iat": int(now.timestamp()),
            "exp": int(expires.timestamp()),
        }
        parts = [
            _base64url(json.dumps(part, separators=(",", ":")).encode())
            for part in (header, payload)
        ]
        token = ".".join([*parts, secrets.token_urlsafe(32)])
        self._secrets.add(token)
        return token

    def _drop_expired(self, now: datetime) -> None:
        # This saves memory in a simulated year of hourly refreshes; expired tokens are refused anyway.
        if len(self._access) > 5000:
            self._access = {
                key: token for key, token in self._access.items() if token.expires > now
            }


def _refusal(settings: Settings, status: int, message: str) -> ApiError:
    if settings.grant_error_status != "documented":
        status = int(settings.grant_error_status)
    return ApiError(status, message, rfc="invalid_grant")
