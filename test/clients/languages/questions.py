"""The questions of a file, one a line: name, how, and the body in base64; and what is printed of each answer."""
import base64

PATH = "/v1/chat/completions"
HEADERS = {"content-type": "application/json", "authorization": "Bearer sk-own"}
# Who leaves does so once this was said.
ENOUGH = b"Hel"
PIECE = 1000


def read(file):
    for line in open(file):
        name, how, body = line.rstrip("\n").split("\t")
        yield name, how, base64.b64decode(body)


def pieces(body):
    return (body[at : at + PIECE] for at in range(0, len(body), PIECE))


def tell(name, status, said):
    print(name, status, base64.b64encode(said).decode(), sep="\t", flush=True)
