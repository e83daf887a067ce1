"""Routes for log-in: to the provider and back, or by a token, for browsers; a code for the command line; log-out."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from fleet_api.console.page import page_of_problem
from fleet_api.http.auth import Caller, CallingAddress, request_origin
from fleet_api.http.bodies import json_body
from fleet_api.http.routing import ApiRoute
from fleet_api.http.services import Use
from fleet_api.http.session import require_own_page, session_cookie
from fleet_api.login import attempts, rules, usecases
from fleet_api.openid.authorization import Attempt
from ingest.http.prefix import prefix_of
from ingest.http.raising import raises
from triggers.contracts.api.login import (
    MAX_CODE_CHARACTERS,
    LoggedOutView,
    LoginCodeRequest,
    LoginView,
    MeView,
    ProviderView,
    TokenLoginRequest,
)
from triggers.errors import Conflict, Forbidden, InvalidInput, LongtailError, NotFound, Unauthenticated


class CallbackRoute(ApiRoute):
    """A route to which the provider sends browsers: it may add parameters of its own (RFC 6749, section 4.1.2)."""

    takes_any_query = True


router = APIRouter(prefix="/v1", tags=["login"], route_class=ApiRoute)
callback = APIRouter(route_class=CallbackRoute)

_SEE_OTHER: dict[int | str, Any] = {
    303: {"description": "Where to go", "headers": {"Location": {"schema": {"type": "string"}}}}
}
Sent = Annotated[str | None, Query(max_length=2000)]


@router.get(
    "/login", summary="Log in with a browser", status_code=303, response_class=RedirectResponse, responses=_SEE_OTHER
)
@raises(InvalidInput, NotFound)
def begin_login(
    services: Use,
    address: CallingAddress,
    wanted: Annotated[
        str | None,
        Query(
            alias="next",
            max_length=2000,
            pattern=r"^/([!-.0-\[\]-~][!-\[\]-~]*)?$",  # no //host, no backslash, no blank
            description="The page to show afterwards, a path of this API.",
        ),
    ] = None,
) -> Response:
    """Send a browser to the provider. It comes back to `/v1/login/callback`, and then to `next` with a session."""
    public_url = services.settings.effective_api_url()
    begun = attempts.Begun(Attempt.new(), rules.local_path(wanted, prefix_of(public_url)))
    response = RedirectResponse(usecases.begin(services, f"address {address}", begun.attempt), status_code=303)
    attempts.keep(response, public_url, begun)
    response.headers["Cache-Control"] = "no-store"
    return response


@callback.get(
    "/login/callback",
    summary="Come back from the provider",
    status_code=303,
    response_class=RedirectResponse,
    responses=_SEE_OTHER,
)
@raises(Forbidden, InvalidInput, NotFound, Unauthenticated)
def end_login(
    request: Request,
    services: Use,
    _address: CallingAddress,
    *,
    state: Sent = None,
    code: Annotated[str | None, Query(max_length=MAX_CODE_CHARACTERS)] = None,
    error: Sent = None,
    iss: Sent = None,
) -> Response:
    """Where the provider sends browsers back to: the session begins. Providers may send more than these parameters."""
    public_url = services.settings.effective_api_url()
    begun = attempts.kept(request, public_url)
    answered = usecases.Answered(state=state, code=code, error=error, issuer=iss)
    try:
        logged_in = usecases.complete(services, request_origin(request), begun.attempt if begun else None, answered)
        wanted = rules.local_path(begun.wanted if begun else None, prefix_of(public_url))
    except LongtailError as refused:
        if "text/html" not in request.headers.get("accept", ""):
            raise
        return page_of_problem(services.settings, services.store, refused)  # a person looks at it
    response = RedirectResponse(wanted, status_code=303)
    attempts.forget(response, public_url)
    session_cookie(public_url).set(response, logged_in.token, max_age_s=services.settings.oidc_session_s)
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/login/provider", summary="Show where people log in")
@raises(NotFound)
def show_provider(services: Use, address: CallingAddress) -> ProviderView:
    """Where the command line sends people to log in. No token is needed."""
    return usecases.provider(services, f"address {address}")


@router.post("/login/code", summary="Log in with a command line")
@raises(Forbidden, InvalidInput, NotFound, Unauthenticated)
def exchange_code(
    request: Request,
    services: Use,
    _address: CallingAddress,
    body: Annotated[LoginCodeRequest, json_body(LoginCodeRequest)],
) -> LoginView:
    """Exchange the code that came back to a command line (RFC 8252) for a token. No token is needed."""
    return usecases.complete_for_command_line(services, request_origin(request), body)


@router.post("/login/token", summary="Log in with a token")
@raises(Conflict, Forbidden, Unauthenticated)
def exchange_token(
    request: Request,
    services: Use,
    response: Response,
    _address: CallingAddress,
    body: Annotated[TokenLoginRequest, json_body(TokenLoginRequest)],
) -> MeView:
    """Exchange a token for a session of this browser, in a cookie that no script can read; for pages of this API.

    The session ends when the token does, or earlier. No token is needed but the one in the body.
    """
    public_url = services.settings.effective_api_url()
    require_own_page(request.method, request.headers, public_url)  # nobody else logs a browser in, as somebody else
    token, who = usecases.exchange_token(services, request_origin(request), body)
    session_cookie(public_url).set(response, token, max_age_s=services.settings.oidc_session_s)
    response.headers["Cache-Control"] = "no-store"
    return who


@router.get("/me", summary="Show who you are")
def show_me(services: Use, user: Caller) -> MeView:
    """Who sent this request, with which roles, and until when the token is valid."""
    return usecases.me(services, user)


@router.post("/logout", summary="Log out")
@raises(Conflict)
def log_out(services: Use, user: Caller, response: Response) -> LoggedOutView:
    """End the session that the request came with, and let the browser forget it. The provider may keep its own."""
    ended = usecases.log_out(services, user)
    session_cookie(services.settings.effective_api_url()).clear(response)
    return ended


router.include_router(callback)
