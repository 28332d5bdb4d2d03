"""The body of an HTTP answer, of a size that is ours."""

from typing import Final

import aiohttp

from lcm_plugin.errors import Fault, LcmBadReply

_CHUNK: Final = 1 << 16


async def body_of(reply: aiohttp.ClientResponse, largest: int) -> bytes:
    """The body, and never more than `largest` bytes of it.

    Raises:
        LcmBadReply: it is larger; what is left of it is not read.
    """
    size = f"{largest >> 20} MiB" if largest >> 20 else f"{largest >> 10} KiB"
    too_large = LcmBadReply(f"the LCM's reply is larger than {size}", fault=Fault.NO_ANSWER)
    if (reply.content_length or 0) > largest:
        raise too_large
    body = bytearray()
    async for chunk in reply.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > largest:
            raise too_large
    return bytes(body)
