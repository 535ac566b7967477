"""gRPC, which xAI's SDK speaks, and Google's older ones unless they are told otherwise: the status and the words of each refusal."""
import sys

import grpc


def as_it_is(message):
    return message


with grpc.insecure_channel(sys.argv[1]) as channel:
    for method in sys.argv[2:]:
        call = channel.unary_unary(method, request_serializer=as_it_is, response_deserializer=as_it_is)
        try:
            print("answered", call(b"\x0a\x05Hello", timeout=30))
        except grpc.RpcError as error:
            print(error.code().name, error.details(), sep="\t")
