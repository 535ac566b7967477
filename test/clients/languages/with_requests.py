"""requests, and below it urllib3, on which botocore stands too."""
import sys

import requests
from questions import ENOUGH, HEADERS, PATH, pieces, read, tell

client = requests.Session()
for name, how, body in read(sys.argv[2]):
    content = pieces(body) if how == "pieces" else body
    said = b""
    with client.post(sys.argv[1] + PATH, data=content, headers=HEADERS, stream=True) as answer:
        for piece in answer.iter_content(chunk_size=1 if how == "leave" else None):
            said += piece
            if how == "leave" and ENOUGH in said:
                break
    tell(name, answer.status_code, said)
