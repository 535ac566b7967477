"""aiohttp's sockets, which LiteLLM and others use for live sessions."""
import asyncio
import json
import sys

import aiohttp


async def main():
    headers = {"Authorization": "Bearer sk-own"}
    async with aiohttp.ClientSession() as client:
        async with client.ws_connect(sys.argv[1], headers=headers, compress=15) as session:
            for text in sys.argv[2:]:
                content = [{"type": "input_text", "text": text}]
                item = {"type": "message", "role": "user", "content": content}
                await session.send_json({"type": "conversation.item.create", "item": item})
                await session.send_json({"type": "response.create"})
                async for message in session:
                    event = json.loads(message.data)
                    print(event["type"], event.get("arguments", event.get("text", "")), sep="\t", flush=True)
                    if event["type"] == "response.done":
                        break
    print("closed", session.close_code, sep="\t")


asyncio.run(main())
