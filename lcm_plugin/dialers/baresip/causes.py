"""SIP's final answers as ITU-T Q.850 causes (RFC 3398, section 8.2.6.1)."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

Q850: Final[Mapping[int, int]] = MappingProxyType(
    {
        400: 41,
        401: 21,
        402: 21,
        403: 21,
        404: 1,
        405: 63,
        406: 79,
        407: 21,
        408: 102,
        410: 22,
        415: 79,
        480: 18,
        481: 41,
        482: 25,
        483: 25,
        484: 28,
        485: 1,
        486: 17,
        500: 41,
        501: 79,
        502: 38,
        503: 41,
        504: 102,
        600: 17,
        603: 21,
        604: 1,
    }
)
