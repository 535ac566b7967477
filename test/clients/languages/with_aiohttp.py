"""aiohttp, which LiteLLM and Google's SDK use for what is asynchronous."""
import asyncio
import sys

import aiohttp
from questions import ENOUGH, HEADERS, PATH, pieces, read, tell


async def in_pieces(body):
    for piece in pieces(body):
        yield piece


async def main():
    async with aiohttp.ClientSession(trust_env=True) as client:
        for name, how, body in read(sys.argv[2]):
            content = in_pieces(body) if how == "pieces" else body
            said = b""
            async with client.post(sys.argv[1] + PATH, data=content, headers=HEADERS) as answer:
                async for piece in answer.content.iter_any():
                    said += piece
                    if how == "leave" and ENOUGH in said:
                        break
            tell(name, answer.status, said)


asyncio.run(main())
