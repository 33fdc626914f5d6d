"""The client: one method for each endpoint."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
import logging
import re
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from .address import api_url
from .enums import UsageResolution
from .errors import (
    NomosAuthenticationError,
    NomosConnectionError,
    NomosError,
    NomosRequestError,
    NomosResponseError,
    parse_error,
)
from .models import GridFeeReduction, Invoice, Subscription, Tariff
from .parsing import Fields, ItemReader, decode
from .series import PriceSeries, UsageSeries

_LOGGER = logging.getLogger(__name__)

API_VERSION = "2026-05-27.curie"
"""The API version that we parse. It is sent with every request, as the default depends on the OAuth client."""

REQUEST_TIMEOUT = 30.0
"""Default timeout of a request, in seconds."""

MAX_BODY_SIZE = 2 * 1024 * 1024
"""Bytes, decompressed. A month of quarter-hours with components is half a megabyte; decoded, at most 25 times that."""

_PARSE_IN_THREAD_FROM = 8 * 1024
"""Bytes from which a response is parsed in a thread: parsing two days of prices takes several milliseconds."""

_SHORT = 64 * 1024
"""Maximum bytes, decompressed, of an error or a token response."""

_PAGE_SIZE = 100
"""The largest page that Nomos returns (Nomos API, Pagination)."""

MAX_PAGES = 50
"""Pages after which reading a list stops, even if the server reports more."""

_INACTIVE_CODES = frozenset({"subscription_not_started", "ended_subscription"})
_VERSION_HEADER = "X-API-Version"
_SAFE_TO_LOG = re.compile(r"[\w.-]{1,40}", re.ASCII)


class NomosClient:
    """Sends requests on behalf of one customer.

    Every method raises a `NomosError`, or what `get_access_token` raises. Retrying is up to the caller, except that
    aiohttp repeats a request at once if the connection breaks before any response.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        get_access_token: Callable[[], Awaitable[str]],
        *,
        base_url: str | None = None,
        timeout: float = REQUEST_TIMEOUT,
    ) -> None:
        """Use the caller's session, which stays open.

        `get_access_token` is called before every request and returns a valid token, refreshed if necessary.
        `base_url` is the address of Nomos, by default `api_url`; `timeout` is in seconds.
        """
        self._session = session
        self._get_access_token = get_access_token
        self._base_url = (api_url() if base_url is None else base_url).rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._has_warned_of_version = False

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """Return all subscriptions of the customer, of every status, newest first (Nomos API, Subscriptions)."""
        found = await self._list("subscriptions", {}, Subscription.from_json)
        return tuple({one.id: one for one in found}.values())

    async def prices(self, subscription_id: str, start: date, end: date) -> PriceSeries:
        """Return the prices from `start` to `end`, local days in Europe/Berlin, both inclusive (Nomos API, Price).

        For a contract that has not begun or has ended, `items` is None, even if Nomos reports that as an error.
        """
        path = ("subscriptions", subscription_id, "prices")
        query = {"start": f"{start:%Y-%m-%d}", "end": f"{end:%Y-%m-%d}"}
        try:
            return await self._series(path, query, PriceSeries)
        except NomosRequestError as err:
            if _INACTIVE_CODES.isdisjoint(err.field_codes):
                raise
            return PriceSeries(resolution=timedelta(minutes=15), items=None)

    async def usage(
        self, subscription_id: str, start: date, end: date, resolution: UsageResolution
    ) -> UsageSeries:
        """Return the metered energy from `start` (inclusive) to `end` (EXCLUSIVE, unlike prices), local days.

        The resolution of the answer may differ from the requested one (Nomos API, Usage).
        """
        path = ("subscriptions", subscription_id, "usage")
        query = {"start": f"{start:%Y-%m-%d}", "end": f"{end:%Y-%m-%d}"}
        return await self._series(path, {"resolution": resolution} | query, UsageSeries)

    async def tariff(self, tariff_id: str) -> Tariff:
        """Return a tariff (Nomos API, Plans). Whether customers may read tariffs is not documented."""
        return await self._get(("plans", tariff_id), {}, Tariff.from_json)

    async def invoices(self, subscription_id: str) -> tuple[Invoice, ...]:
        """Return all invoices of a subscription, newest first (Nomos API, Invoices)."""
        found = await self._list_of(subscription_id, "invoices", Invoice.from_json)
        return tuple({one.id: one for one in found}.values())

    async def grid_fee_reductions(
        self, subscription_id: str
    ) -> tuple[GridFeeReduction, ...]:
        """Return the reductions of a subscription's grid fee (Nomos API, Grid-fee reductions).

        Whether customers may read them is not documented.
        """
        found = await self._list_of(
            subscription_id, "grid-fee-reductions", GridFeeReduction.from_json
        )
        return tuple(found)

    async def _list_of[T: (Invoice, GridFeeReduction)](
        self, subscription_id: str, path: str, parse: Callable[[object, str], T]
    ) -> list[T]:
        """Return the items of one subscription, filtered here, too: a server ignores unknown filters."""
        query = {"filter[subscription][eq]": subscription_id}
        found = await self._list(path, query, parse)
        return [one for one in found if one.subscription_id == subscription_id]

    async def _list[T](
        self,
        path: str,
        query: Mapping[str, str],
        parse: Callable[[object, str], T],
    ) -> list[T]:
        """Return the items of all pages of a list (Nomos API, Pagination)."""

        def parse_page(data: object) -> tuple[list[T], str | None]:
            page = Fields.of(data)
            items = [parse(item, at) for at, item in page.items("items")]
            return items, page.next_cursor()

        found: list[T] = []
        # The other parameters must not change from page to page.
        page_query = {**query, "limit": str(_PAGE_SIZE)}
        cursors: set[str] = set()
        while len(cursors) < MAX_PAGES:
            items, cursor = await self._get((path,), page_query, parse_page)
            found += items
            if cursor is None:
                return found
            if cursor in cursors:
                break
            cursors.add(cursor)
            page_query["cursor"] = cursor
        _LOGGER.debug(
            "List /%s does not end, reading stopped after %s items", path, len(found)
        )
        return found

    async def _series[S: (PriceSeries, UsageSeries)](
        self, path: tuple[str, ...], query: Mapping[str, str], series: type[S]
    ) -> S:
        """Return a series; its items are parsed while the JSON is decoded."""
        answer = await self._get(path, query, series.from_json, series.read_item)
        if answer.unreadable:
            _LOGGER.debug(
                "Nomos sent %s unreadable items for %s",
                answer.unreadable,
                _without_ids(path),
            )
        return answer

    async def _get[T](
        self,
        path: tuple[str, ...],
        query: Mapping[str, str],
        parse: Callable[[object], T],
        read_item: ItemReader | None = None,
    ) -> T:
        """Request a path, and return the JSON as read by `parse`; `read_item` may replace each decoded object first."""
        url = _url(self._base_url, path, query)
        token = await self._get_access_token()
        try:
            status, body = await self._fetch(url, token)
            try:
                if len(body) < _PARSE_IN_THREAD_FROM:
                    return parse(decode(body, read_item))
                # A month of quarter-hours would block the event loop for a tenth of a second.
                return await asyncio.to_thread(lambda: parse(decode(body, read_item)))
            except NomosResponseError as err:
                err.status = status
                raise
        except NomosError as err:
            _LOGGER.debug(
                "GET %s failed with %s (status %s, code %s, request id %s): %s",
                _without_ids(path),
                type(err).__name__,
                err.status,
                err.code,
                err.request_id,
                err,
            )
            raise

    async def _fetch(self, url: URL, token: str) -> tuple[int, bytes]:
        """Return the status and body of a successful response; raise a `NomosError` for any other."""
        if not token.isprintable():
            # With control characters, aiohttp would raise an exception of its own.
            raise NomosAuthenticationError("The access token is malformed")
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {token}",
            _VERSION_HEADER: API_VERSION,
        }
        try:
            async with self._session.get(
                url,
                headers=headers,
                timeout=self._timeout,
                # A redirect could send the token to another host, and no endpoint redirects.
                allow_redirects=False,
            ) as response:
                self._check_version(response.headers)
                if 200 <= response.status < 300:
                    return response.status, await _read(response, MAX_BODY_SIZE)
                raise parse_error(
                    response.status, response.headers, await read_if_short(response)
                )
        except TimeoutError as err:
            raise NomosConnectionError("Nomos did not answer in time") from err
        except aiohttp.ClientResponseError as err:
            # Not chained: it contains the request with its token. Its text may quote the response.
            raise NomosConnectionError(
                f"No usable answer from Nomos ({type(err).__name__})"
            ) from None
        except (aiohttp.ClientError, OSError) as err:
            raise NomosConnectionError(
                f"No connection to Nomos ({type(err).__name__})"
            ) from err
        except (RuntimeError, AssertionError) as err:
            # As Home Assistant stops, it closes the session, also while a request is repeated on another connection.
            if not self._session.closed:
                raise
            raise NomosConnectionError("The session is closed") from err

    def _check_version(self, headers: Mapping[str, str]) -> None:
        """Warn once if the server answers in another API version than requested (Nomos API, Versioning)."""
        version = headers.get(_VERSION_HEADER, API_VERSION)
        if version == API_VERSION or self._has_warned_of_version:
            return
        self._has_warned_of_version = True
        shown = version if _SAFE_TO_LOG.fullmatch(version) else "an unreadable version"
        _LOGGER.warning(
            "Nomos answers with API version %s instead of %s", shown, API_VERSION
        )


async def _read(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """Return the decompressed body; raise NomosResponseError if it exceeds `largest` bytes."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > largest:
            raise NomosResponseError("body", "too large", status=response.status)
    return bytes(body)


async def read_if_short(response: aiohttp.ClientResponse) -> bytes:
    """Return a short body, empty if it is too long or unreadable: the status is valid anyway."""
    try:
        return await _read(response, _SHORT)
    except NomosResponseError, aiohttp.ClientError, OSError:
        return b""


def _without_ids(path: tuple[str, ...]) -> str:
    """Return a path for the log; every other segment is an id."""
    return "/".join(path[::2])


def _url(base_url: str, path: tuple[str, ...], query: Mapping[str, str]) -> URL:
    """Return the encoded URL; raise NomosRequestError if a segment of the path cannot be an id."""
    if not {"", ".", ".."}.isdisjoint(path):
        raise NomosRequestError("An id is malformed")
    try:
        quoted = "/".join(quote(segment, safe="") for segment in path)
        parameters = f"?{urlencode(query)}" if query else ""
    except UnicodeEncodeError:
        raise NomosRequestError("An id is malformed") from None
    return URL(f"{base_url}/{quoted}{parameters}", encoded=True)
