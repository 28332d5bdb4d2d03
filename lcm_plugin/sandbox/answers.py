"""What a well-behaved LCM answers; a reply's name, shape and place come from the catalogue."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from attrs import define

from lcm_plugin.lcm.catalogue import CATALOGUE, MessageType, Shape
from lcm_plugin.lcm.spelling import folded, pick
from lcm_plugin.sandbox.asked import Asked, RefusedError
from lcm_plugin.sandbox.behaviours import BEHAVIOURS
from lcm_plugin.sandbox.state import State

_BY_NAME: Final = {folded(name): message for name, message in CATALOGUE.items()}


class UnknownMessageError(ValueError):
    """The sandbox knows no such message."""


@define
class Answers:
    """Answers requests by the behaviours of their messages."""

    state: State

    def message(self, envelope: Mapping[str, Any]) -> MessageType:
        """The request's entry in the catalogue, whatever its spelling.

        Raises:
            UnknownMessageError: there is none.
        """
        subtopic = pick(envelope, "subtopic")
        if folded(subtopic) not in _BY_NAME:
            raise UnknownMessageError("unknown subtopic")
        return _BY_NAME[folded(subtopic)]

    def answer(
        self, message: MessageType, envelope: Mapping[str, Any], *, delivered: bool = True
    ) -> dict[str, Any] | None:
        """Do what is asked; the reply's envelope, or None if the message has none.

        `delivered` is whether the reply will arrive, for the books.
        """
        data = pick(envelope, "data")
        asked = Asked(
            message=message,
            data=data if isinstance(data, Mapping) else {},
            at=asyncio.get_running_loop().time(),
            delivered=delivered,
        )
        body = self._body(asked)
        if not message.reply:
            return None
        return {
            "channel": message.reply_channels[0],
            "topic": message.reply_topics[0],
            "subtopic": message.reply,
            message.under: body,
        }

    def _body(self, asked: Asked) -> dict[str, Any]:
        shape = asked.message.shape
        try:
            asked.check()
            content = BEHAVIOURS[asked.message.subtopic](self.state, asked)
        except RefusedError as refused:
            return _refusal(asked, refused)
        if shape is Shape.ACKNOWLEDGEMENT:
            return {**_repeated(asked), "response": {"success": True}}
        return content if shape in {Shape.FLAGS, Shape.ECHO} else {**_repeated(asked), "response": content}


def _refusal(asked: Asked, refused: RefusedError) -> dict[str, Any]:
    if asked.message.shape is Shape.ACKNOWLEDGEMENT and not refused.ws:
        return {**_repeated(asked), "response": {"success": False, "msg": str(refused)}}
    return {
        "errorType": "WS_Error",
        "actualError": refused.ws or str(refused),
        "message": str(refused),
    }


def _repeated(asked: Asked) -> dict[str, Any]:
    """What a reply repeats of its request."""
    return {one.wire: asked[one.name] for one in asked.message.fields if one.echoed and asked[one.name]}
