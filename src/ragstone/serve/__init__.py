"""The corpora over HTTP, for OpenAI's clients, over MCP, and as a page. Extras: `serve`, `mcp`."""
