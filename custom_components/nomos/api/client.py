"""The client: one method for each thing that Nomos can be asked."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, timedelta
import logging
import re
from typing import Protocol
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
from .invoices import GridFeeReduction, Invoice
from .models import Subscription, Tariff
from .parsing import Fields, ItemReader, decode
from .series import PriceSeries, UsageSeries

_LOGGER = logging.getLogger(__name__)

API_VERSION = "2026-05-27.curie"
"""The version whose shapes we read; sent with every request, as the default belongs to the OAuth client."""

REQUEST_TIMEOUT = 30.0
"""Seconds that a request may take in all."""

MAX_BODY_SIZE = 2 * 1024 * 1024
"""Bytes, decompressed. A month of quarter-hours with components is about half a megabyte.

Decoded, empty objects take 25 times as much.
"""

LARGE_BODY = 64 * 1024
"""Bytes from which an answer is read in a thread, and an error is not read. Prices of two days have less than half."""

PAGE_SIZE = 100
"""The largest page that Nomos gives (Nomos API, Pagination)."""

MAX_PAGES = 50
"""Where a walk along a list ends even if the server promises more."""

_INACTIVE_CODES = frozenset({"subscription_not_started", "ended_subscription"})
_VERSION_HEADER = "X-API-Version"
_CHUNK_SIZE = 64 * 1024
_HARMLESS = re.compile(r"[\w.-]{1,40}", re.ASCII)


class TokenSource(Protocol):
    """Where access tokens come from."""

    async def async_get_access_token(self) -> str:
        """Return a valid access token, refreshing it if need be.

        What it raises passes through the client untouched.
        """


class NomosClient:
    """Asks Nomos in the name of one customer.

    Every method raises a `NomosError` of the ladder, or what the token source raised. When
    to try again is the caller's decision; only aiohttp repeats a request at once whose connection broke unanswered.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        tokens: TokenSource,
        *,
        base_url: str | None = None,
        timeout: float = REQUEST_TIMEOUT,
    ) -> None:
        """Use the caller's session, which stays the caller's.

        Args:
            session: Not closed here.
            tokens: Asked before every request.
            base_url: Where Nomos lives; by default what `api_url` says.
            timeout: Seconds that a request may take in all.
        """
        self._session = session
        self._tokens = tokens
        self._base_url = (api_url() if base_url is None else base_url).rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._has_warned_of_version = False

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """Return all subscriptions of the customer, of every status, newest first (Nomos API, Subscriptions)."""
        found = await self._list("/subscriptions", {}, Subscription.from_json)
        return tuple({subscription.id: subscription for subscription in found}.values())

    async def subscription(self, subscription_id: str) -> Subscription:
        """Return one subscription, with the type of its meter (Nomos API, Subscriptions)."""
        return await self._get(
            _path("subscriptions", subscription_id), {}, Subscription.from_json
        )

    async def prices(self, subscription_id: str, start: date, end: date) -> PriceSeries:
        """Return the prices from `start` to `end`, local days in Europe/Berlin, both inclusive (Nomos API, Price).

        A contract that has not begun or has ended has none: `items` is None, also where Nomos says so by an error.
        """
        path = _path("subscriptions", subscription_id, "prices")
        query = {"start": _day(start), "end": _day(end)}
        try:
            series = await self._get(
                path, query, PriceSeries.from_json, PriceSeries.packed_item
            )
        except NomosRequestError as err:
            if _INACTIVE_CODES.isdisjoint(err.field_codes):
                raise
            return PriceSeries(
                subscription_id=subscription_id,
                resolution=timedelta(minutes=15),
                items=None,
            )
        if series.unreadable:
            _LOGGER.debug(
                "Nomos sent %s unreadable items for %s", series.unreadable, path
            )
        return series

    async def usage(
        self,
        subscription_id: str,
        start: date,
        end: date,
        resolution: UsageResolution = UsageResolution.AUTO,
    ) -> UsageSeries:
        """Return the metered energy from `start` (inclusive) to `end` (EXCLUSIVE, unlike prices), local days.

        The answer may come in another resolution than asked for (Nomos API, Usage).
        """
        path = _path("subscriptions", subscription_id, "usage")
        query = {"resolution": resolution.value, "start": _day(start), "end": _day(end)}
        series = await self._get(
            path, query, UsageSeries.from_json, UsageSeries.packed_item
        )
        if series.unreadable:
            _LOGGER.debug(
                "Nomos sent %s unreadable items for %s", series.unreadable, path
            )
        return series

    async def tariff(self, tariff_id: str) -> Tariff:
        """Return a tariff (Nomos API, Plans); whether customers may see them is not published."""
        return await self._get(_path("plans", tariff_id), {}, Tariff.from_json)

    async def invoices(self, subscription_id: str | None = None) -> tuple[Invoice, ...]:
        """Return all invoices, or those of one subscription, newest first (Nomos API, Invoices)."""
        found = await self._list("/invoices", _of(subscription_id), Invoice.from_json)
        unique = {invoice.id: invoice for invoice in found}.values()
        return tuple(
            invoice
            for invoice in unique
            if subscription_id in {None, invoice.subscription_id}
        )

    async def grid_fee_reductions(
        self, subscription_id: str
    ) -> tuple[GridFeeReduction, ...]:
        """Return the reductions of a subscription's grid fee (Nomos API, Grid-fee reductions).

        Whether customers may see them is not published.
        """
        found = await self._list(
            "/grid-fee-reductions", _of(subscription_id), GridFeeReduction.from_json
        )
        return tuple(one for one in found if one.subscription_id == subscription_id)

    async def _list[T](
        self, path: str, query: Mapping[str, str], parse: Callable[[object, str], T]
    ) -> list[T]:
        """Walk along the pages of a list to its end (Nomos API, Pagination)."""

        def parse_page(data: object) -> tuple[list[T], str | None]:
            page = Fields.of(data)
            items = [parse(item.values, item.at) for item in page.objects("items")]
            # Neither field need be there; a list without `has_more` is complete.
            return items, page.cursor("next_page") if page.flag("has_more") else None

        found: list[T] = []
        # The other parameters must not change along the walk.
        page_query = {**query, "limit": str(PAGE_SIZE)}
        cursors: set[str] = set()
        for _ in range(MAX_PAGES):
            items, cursor = await self._get(path, page_query, parse_page)
            found += items
            if not cursor:
                return found
            if cursor in cursors:
                break
            cursors.add(cursor)
            page_query["cursor"] = cursor
        _LOGGER.debug(
            "List %s does not end, reading stopped after %s items", path, len(found)
        )
        return found

    async def _get[T](
        self,
        path: str,
        query: Mapping[str, str],
        parse: Callable[[object], T],
        read_item: ItemReader | None = None,
    ) -> T:
        """Ask for `path` and return what `parse` makes of the decoded JSON, whose objects `read_item` gets first."""
        token = await self._tokens.async_get_access_token()
        try:
            status, body = await self._fetch(path, query, token)
            try:
                if len(body) < LARGE_BODY:
                    return parse(decode(body, read_item))
                # A month of quarter-hours would hold up everything else for a tenth of a second.
                return await asyncio.get_running_loop().run_in_executor(
                    None, lambda: parse(decode(body, read_item))
                )
            except NomosResponseError as err:
                err.status = status
                raise
        except NomosError as err:
            _LOGGER.debug(
                "GET %s failed with %s (status %s, code %s, request id %s): %s",
                path,
                type(err).__name__,
                err.status,
                err.code,
                err.request_id,
                err,
            )
            raise

    async def _fetch(
        self, path: str, query: Mapping[str, str], token: str
    ) -> tuple[int, bytes]:
        """Return status and body of a success.

        Raises:
            NomosError: There was no success, or none that came through whole.
        """
        if not token.isprintable():
            # Control characters would be refused by the HTTP library in words that are not of the ladder.
            raise NomosAuthenticationError("The access token is malformed")
        if self._session.closed:
            raise NomosConnectionError("The session is closed")
        url = f"{self._base_url}{path}"
        headers = {
            "Accept": "application/json",
            "Authorization": f"Bearer {token}",
            _VERSION_HEADER: API_VERSION,
        }
        try:
            async with self._session.get(
                _encoded(url, query),
                headers=headers,
                timeout=self._timeout,
                # A redirect could lead the token to another host; nothing that we ask for has one.
                allow_redirects=False,
            ) as response:
                self._check_version(response.headers)
                if 200 <= response.status < 300:
                    return response.status, await read_body(response, MAX_BODY_SIZE)
                raise parse_error(
                    response.status, response.headers, await _read_error(response)
                )
        except TimeoutError as err:
            raise NomosConnectionError("Nomos did not answer in time") from err
        except aiohttp.ClientResponseError as err:
            # Not chained: it holds the request with its token. Its text may quote the answer.
            raise NomosConnectionError(
                f"No usable answer from Nomos ({type(err).__name__})"
            ) from None
        except (aiohttp.ClientError, OSError) as err:
            raise NomosConnectionError(
                f"No connection to Nomos ({type(err).__name__})"
            ) from err

    def _check_version(self, headers: Mapping[str, str]) -> None:
        """Warn once if the server speaks another version than asked for (Nomos API, Versioning)."""
        version = headers.get(_VERSION_HEADER)
        if version is None or version == API_VERSION or self._has_warned_of_version:
            return
        self._has_warned_of_version = True
        shown = version if _HARMLESS.fullmatch(version) else "an unreadable version"
        _LOGGER.warning(
            "Nomos answers with API version %s instead of %s", shown, API_VERSION
        )


async def read_body(response: aiohttp.ClientResponse, largest: int) -> bytes:
    """Return the body, decompressed, of which not much more than `largest` bytes are ever in memory.

    Raises:
        NomosResponseError: It is larger.
    """
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_SIZE):
        body += chunk
        if len(body) > largest:
            raise NomosResponseError("body", "too large", status=response.status)
    return bytes(body)


async def _read_error(response: aiohttp.ClientResponse) -> bytes:
    """Return the body of an error, or nothing: the status alone says which error it is."""
    try:
        return await read_body(response, LARGE_BODY)
    except NomosResponseError, aiohttp.ClientError, OSError:
        return b""


def _encoded(url: str, query: Mapping[str, str]) -> URL:
    """Return the address exactly as it is to be sent, brackets of filters included.

    Raises:
        NomosRequestError: A value of `query` is no valid text, such as an id or a cursor with half a character.
    """
    try:
        return URL(f"{url}?{urlencode(query)}" if query else url, encoded=True)
    except UnicodeEncodeError:
        raise NomosRequestError("A parameter is malformed") from None


def _path(*segments: str) -> str:
    """Return the path made of `segments`, each quoted.

    Raises:
        NomosRequestError: A segment is no id: empty, a step up the path, or no valid text.
    """
    try:
        if any(segment in {"", ".", ".."} for segment in segments):
            raise NomosRequestError("An id is malformed")
        return "".join(f"/{quote(segment, safe='')}" for segment in segments)
    except UnicodeEncodeError:
        raise NomosRequestError("An id is malformed") from None


def _of(subscription_id: str | None) -> dict[str, str]:
    """Return the filter for one subscription.

    A filter that the server does not know is silently ignored (Nomos API, Filtering): the answer must be looked through.
    """
    return (
        {} if subscription_id is None else {"filter[subscription][eq]": subscription_id}
    )


def _day(day: date) -> str:
    return day.strftime("%Y-%m-%d")
