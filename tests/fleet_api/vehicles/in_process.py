"""The transport by which a vehicle's agent calls the API in this process."""

from __future__ import annotations

import httpx

from tests.fleet_api.api_server import Api


class InProcess(httpx.BaseTransport):
    """Requests of an agent, handed to the application in this process."""

    def __init__(self, api: Api) -> None:
        self._client = api.client
        self.sent = ""
        """The token that came with the latest request."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        # the test client may speak another HTTP library than the agent, so only plain values pass between them
        headers = request.headers.multi_items()
        answer = self._client.request(request.method, str(request.url), content=request.read(), headers=headers)
        own = answer.headers.multi_items()
        return httpx.Response(answer.status_code, headers=own, stream=httpx.ByteStream(answer.content))
