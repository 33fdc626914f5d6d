"""Refusals and the responses that faults cause."""

from typing import Any
import uuid

from .errors import ApiError, error_body, gateway_page
from .faults import Fault
from .http import Request, Response
from .settings import ErrorShape


def too_many_requests(request: Request) -> ApiError:
    """Return the refusal of a request that exceeds the rate limit."""
    seconds = request.settings.retry_after
    return ApiError(
        429,
        f"Wait {seconds} seconds before retrying.",
        headers={"retry-after": str(seconds)}
        if request.settings.rate_limit_headers
        else {},
    )


def refusal(
    request: Request, err: ApiError, shape: ErrorShape | None = None
) -> Response:
    """Return a refusal in the configured shape, or in another one."""
    settings = request.settings
    shape = shape or (
        settings.token_error_shape
        if request.path == "/oauth/token"
        else settings.error_shape
    )
    status = 400 if shape == "rfc" and err.rfc == "invalid_grant" else err.status
    body = error_body(
        status,
        err.message,
        shape=shape,
        request_id=str(uuid.uuid4()),
        errors=err.errors,
        rfc=err.rfc,
    )
    return Response(status, body, "text/html", dict(err.headers))


def replacement(request: Request, fault: Fault) -> Response | None:
    """Return the response of a fault instead of the real one; None cuts the connection."""
    params = fault.params
    match fault.kind:
        case "status":
            return _status(request, fault)
        case "rate_limit":
            headers = dict(params.get("headers", {}))
            wait = params.get("retry_after")
            if wait is not None:
                headers["retry-after"] = str(wait)
            seconds = 30 if wait is None else wait
            message = params.get("message", f"Wait {seconds} seconds before retrying.")
            return refusal(
                request, ApiError(429, message, headers=headers), params.get("shape")
            )
        case "empty":
            return Response(params.get("status", 200), "", "application/json")
        case "html":
            status = params.get("status", 200)
            return Response(status, gateway_page(status), "text/html")
        case "list":
            return Response(200, [])
        case _:
            return None


def _status(request: Request, fault: Fault) -> Response:
    params = fault.params
    status = params.get("status", 500)
    # A gateway in front of the service sends these, without an envelope.
    from_gateway = status in {408, 502, 503, 504} and "shape" not in params
    body = params.get("body", "html" if from_gateway else "envelope")
    headers = dict(params.get("headers", {}))
    match body:
        case "envelope":
            pass
        case "html":
            return Response(status, gateway_page(status), "text/html", headers)
        case "empty":
            return Response(status, "", headers=headers)
        case dict() | list():
            return Response(status, body, headers=headers)
        case _:
            return Response(status, str(body), headers=headers)
    err = ApiError(
        status,
        params.get("message", ""),
        tuple(params.get("errors", ())),
        headers=headers,
    )
    response = refusal(request, err, params.get("shape"))
    if "code" in params and isinstance(response.payload, dict):
        inner = response.payload.get("error", response.payload)
        if isinstance(inner, dict):
            inner["code"] = params["code"]
        else:
            response.payload["error"] = params["code"]
    return response


def alter(response: Response, fault: Fault) -> None:
    """Apply a fault that alters the response."""
    params = fault.params
    if fault.kind == "headers":
        response.headers |= params.get("headers", {})
    if fault.kind == "mutate":
        response.payload = params["change"](response.payload)
    if not isinstance(payload := response.payload, dict):
        return
    match fault.kind:
        case "drop_fields":
            for name in params["fields"]:
                payload.pop(name, None)
        case "set_fields":
            payload |= params["values"]
        case "missing_refresh_token":
            payload.pop("refresh_token", None)
        case "expires_in_text" if "expires_in" in payload:
            payload["expires_in"] = str(payload["expires_in"])


def with_extra_fields(value: Any) -> Any:
    """Return JSON with an unknown field in every object."""
    if isinstance(value, dict):
        extended = {key: with_extra_fields(item) for key, item in value.items()}
        return extended | {"x_simulated": {"since": "tomorrow"}}
    if isinstance(value, list):
        return [with_extra_fields(item) for item in value]
    return value
