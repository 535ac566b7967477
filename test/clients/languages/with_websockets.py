"""websockets, which the official SDKs for Python use for live sessions: what is said, one line an event, until the session has ended."""
import asyncio
import json
import sys

import websockets


async def main():
    headers = {"Authorization": "Bearer sk-own"}
    async with websockets.connect(sys.argv[1], extra_headers=headers) as session:
        for text in sys.argv[2:]:
            content = [{"type": "input_text", "text": text}]
            item = {"type": "message", "role": "user", "content": content}
            await session.send(json.dumps({"type": "conversation.item.create", "item": item}))
            await session.send(json.dumps({"type": "response.create"}))
            async for message in session:
                event = json.loads(message)
                print(event["type"], event.get("arguments", event.get("text", "")), sep="\t", flush=True)
                if event["type"] == "response.done":
                    break
    print("closed", session.close_code, sep="\t")


asyncio.run(main())
