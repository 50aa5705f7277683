"""Answers `resources/list`, `resources/templates/list` and `resources/read`."""

from __future__ import annotations

from collections.abc import Callable

import mcp_types as types
from anyio.to_thread import run_sync
from mcp.shared.exceptions import MCPError

from naftiko_runtime.exposes.mcp.message_spans import noting_operation
from naftiko_runtime.exposes.mcp.protocol import Context, origin_of, page_of
from naftiko_runtime.exposes.mcp.reading import NotRead, ResourceContent, read_resource
from naftiko_runtime.exposes.mcp.resources import (
    ResourceTable,
    resource_entries,
    template_entries,
)
from naftiko_runtime.exposes.mcp.tools import Execute


class ResourceHandlers:
    """Handlers over the table that `current` gives; owned by an McpServer."""

    def __init__(self, current: Callable[[], ResourceTable], execute: Execute) -> None:
        self._current = current
        self._execute = noting_operation(execute)

    async def list(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourcesResult:
        entries = await run_sync(resource_entries, self._current())
        page, cursor = page_of(entries, lambda entry: str(entry["uri"]), params)
        return types.ListResourcesResult(
            resources=[types.Resource.model_validate(entry) for entry in page], next_cursor=cursor
        )

    async def list_templates(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        entries = template_entries(self._current())
        page, cursor = page_of(entries, lambda entry: str(entry["uriTemplate"]), params)
        return types.ListResourceTemplatesResult(
            resource_templates=[types.ResourceTemplate.model_validate(entry) for entry in page],
            next_cursor=cursor,
        )

    async def read(
        self, context: Context, params: types.ReadResourceRequestParams
    ) -> types.ReadResourceResult:
        try:
            read = await read_resource(
                self._current(), params.uri, self._execute, origin_of(context)
            )
        except NotRead as error:
            code = types.INVALID_PARAMS if error.is_wrong_uri else types.INTERNAL_ERROR
            message = f'resource "{params.uri[:200]}": {error}'
            raise MCPError(code, message, {"uri": params.uri, **error.data}) from None
        return types.ReadResourceResult(contents=[_to_sdk(params.uri, read)])


def _to_sdk(
    uri: str, read: ResourceContent
) -> types.TextResourceContents | types.BlobResourceContents:
    if isinstance(read.content, str):
        return types.TextResourceContents(uri=uri, mime_type=read.mime_type, text=read.content)
    return types.BlobResourceContents(uri=uri, mime_type=read.mime_type, blob=read.content.data)
