"""httpx as AsyncOpenAI and AsyncAnthropic use it."""
import asyncio
import sys

import httpx
from questions import ENOUGH, HEADERS, PATH, pieces, read, tell


async def in_pieces(body):
    for piece in pieces(body):
        yield piece


async def main():
    async with httpx.AsyncClient(timeout=30) as client:
        for name, how, body in read(sys.argv[2]):
            content = in_pieces(body) if how == "pieces" else body
            said = b""
            async with client.stream("POST", sys.argv[1] + PATH, content=content, headers=HEADERS) as answer:
                async for piece in answer.aiter_bytes():
                    said += piece
                    if how == "leave" and ENOUGH in said:
                        break
            tell(name, answer.status_code, said)


asyncio.run(main())
