"""Errors and the formats of their bodies."""

from dataclasses import dataclass, field
from typing import Any

from .settings import ErrorShape

CODES = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    402: "PAYMENT_REQUIRED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    409: "CONFLICT",
    422: "UNPROCESSABLE_ENTITY",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_SERVER_ERROR",
}
MESSAGES = {
    401: "Invalid or malformed token",
    402: "A higher pricing plan is required to access the resource",
    403: "You do not have the necessary permissions to access the resource",
    404: "The requested resource could not be found",
    405: "The request method is not allowed",
    409: "The request conflicts with the state of the resource",
    422: "The request could not be followed due to semantic errors",
    429: "Wait 30 seconds before retrying.",
    500: "The server has encountered a situation it does not know how to handle",
}
_OLDEST = {
    400: "malformed",
    401: "unauthenticated",
    403: "permissionDenied",
    404: "notFound",
    409: "conflict",
    422: "invalid",
    429: "tooManyRequests",
    500: "internal",
    501: "notImplemented",
}
_RFC = {
    400: "invalid_grant",
    401: "invalid_client",
    403: "access_denied",
    429: "temporarily_unavailable",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One entry of `errors`: which part of the request was wrong, and why."""

    code: str
    field: str
    message: str


@dataclass(eq=False)
class ApiError(Exception):
    """A refusal. `rfc` is its error code in RFC 6749, if any."""

    status: int
    message: str = ""
    errors: tuple[FieldError, ...] = ()
    rfc: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def bad_field(code: str, name: str, message: str) -> ApiError:
    """Return the refusal of one wrong parameter."""
    return ApiError(
        400,
        f"{code} in '{name}': {message}",
        (FieldError(code, name, message),),
        "invalid_request",
    )


def gateway_page(status: int) -> str:
    """Return the HTML page of a gateway in front of the service."""
    return (
        f"<html>\r\n<head><title>{status} Error</title></head>\r\n<body>\r\n<center><h1>{status} Error</h1></center>\r\n"
        "<hr><center>simulated gateway</center>\r\n</body>\r\n</html>\r\n"
    )


def error_body(
    status: int,
    message: str,
    *,
    shape: ErrorShape,
    request_id: str,
    errors: tuple[FieldError, ...] = (),
    rfc: str | None = None,
) -> dict[str, Any] | str:
    """Return the body of a refusal in the given shape; a string is HTML."""
    message = message or MESSAGES.get(status, "The request could not be processed")
    if shape == "html":
        return gateway_page(status)
    if shape == "rfc":
        return {
            "error": rfc or _RFC.get(status, "server_error"),
            "error_description": message,
        }
    if shape == "a":
        return {
            "object": "error",
            "type": _OLDEST.get(status, "internal"),
            "message": message,
        }
    code = CODES.get(
        status, "INTERNAL_SERVER_ERROR" if status >= 500 else "BAD_REQUEST"
    )
    envelope: dict[str, Any] = {
        "code": code,
        "message": message,
        "requestId": request_id,
        "docs": f"https://docs.nomos.energy/api-references/errors/{code}",
    }
    if shape == "b":
        return {"error": envelope}
    if errors and shape == "d":
        envelope["errors"] = [
            {"code": entry.code, "field": entry.field, "message": entry.message}
            for entry in errors
        ]
    return envelope
