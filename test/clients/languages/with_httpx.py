"""httpx, which the official SDKs for Python use."""
import sys

import httpx
from questions import ENOUGH, HEADERS, PATH, pieces, read, tell

with httpx.Client(timeout=30) as client:
    for name, how, body in read(sys.argv[2]):
        content = pieces(body) if how == "pieces" else body
        said = b""
        with client.stream("POST", sys.argv[1] + PATH, content=content, headers=HEADERS) as answer:
            for piece in answer.iter_bytes():
                said += piece
                if how == "leave" and ENOUGH in said:
                    break
        tell(name, answer.status_code, said)
