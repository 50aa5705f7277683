"""Answers `prompts/list`, `prompts/get` and `completion/complete`."""

from __future__ import annotations

from collections.abc import Callable

import mcp_types as types
from anyio.to_thread import run_sync
from mcp.shared.exceptions import MCPError

from naftiko_runtime.exposes.mcp.completion import (
    MOST_VALUES,
    matching,
    prompt_choices,
    variable_choices,
)
from naftiko_runtime.exposes.mcp.prompts import PromptRefused, PromptUnreadable, fill_prompt
from naftiko_runtime.exposes.mcp.protocol import Context, page_of, unknown, wrong_params
from naftiko_runtime.exposes.mcp.table import McpTable


class PromptHandlers:
    """Handlers over the table that `current` gives; owned by an McpServer."""

    def __init__(self, current: Callable[[], McpTable]) -> None:
        self._current = current

    async def list(
        self, context: Context, params: types.PaginatedRequestParams | None
    ) -> types.ListPromptsResult:
        prompts, cursor = page_of(self._current().prompts.prompts, lambda each: each.name, params)
        return types.ListPromptsResult(
            prompts=[types.Prompt.model_validate(prompt.entry) for prompt in prompts],
            next_cursor=cursor,
        )

    async def get(
        self, context: Context, params: types.GetPromptRequestParams
    ) -> types.GetPromptResult:
        table = self._current().prompts
        prompt = table.find(params.name)
        if prompt is None:
            raise unknown("prompt", params.name, table.nearest(params.name))
        try:
            messages = await run_sync(fill_prompt, prompt, params.arguments or {})
        except PromptRefused as refused:
            raise wrong_params(f'prompt "{prompt.name}": {refused}') from None
        except PromptUnreadable as error:
            message = f'prompt "{prompt.name}": its file cannot be used: {error}'
            raise MCPError(types.INTERNAL_ERROR, message) from None
        return types.GetPromptResult(
            description=prompt.plan.description or None,
            messages=[
                types.PromptMessage(
                    role="assistant" if role == "assistant" else "user",
                    content=types.TextContent(text=text),
                )
                for role, text in messages
            ],
        )

    async def complete(
        self, context: Context, params: types.CompleteRequestParams
    ) -> types.CompleteResult:
        table, name = self._current(), params.argument.name
        if isinstance(params.ref, types.PromptReference):
            what = f'prompt "{params.ref.name[:100]}"'
            choices = prompt_choices(table.prompts, params.ref.name, name)
        else:
            what = f'resource template "{params.ref.uri[:200]}"'
            choices = variable_choices(table.resources, params.ref.uri, name)
        if choices is None:
            raise wrong_params(f'there is no {what} with an argument "{name[:100]}"')
        found = matching(choices, params.argument.value)
        return types.CompleteResult(
            completion=types.Completion(
                values=list(found[:MOST_VALUES]),
                total=len(found),
                has_more=len(found) > MOST_VALUES,
            )
        )
