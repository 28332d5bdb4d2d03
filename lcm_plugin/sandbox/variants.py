"""The spellings and shapes the LCM's documentation has for the same reply."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

Reply = dict[str, Any]
Change = Callable[[Reply], Any]


def _message(change: Change) -> Change:
    """Change the body, if it is under `message`; what is under `data` stays."""
    return lambda reply: {**reply, "message": change(reply["message"])} if "message" in reply else reply


def _response(change: Callable[[Any], Any]) -> Change:
    """Change what is under `response`, if there is one."""

    def changed(body: Any) -> Any:
        return {**body, "response": change(body["response"])} if "response" in body else body

    return _message(changed)


def _record(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    """Change each record, whatever shape they are in."""

    def each(response: Any) -> Any:
        if isinstance(response, list):
            return [each(record) for record in response]
        if isinstance(response, Mapping) and "Contacts" in response:
            return {**response, "Contacts": each(response["Contacts"])}
        return change(dict(response)) if response and isinstance(response, Mapping) else response

    return _response(each)


def _renamed(**names: str) -> Change:
    return _record(lambda record: {names.get(key, key): value for key, value in record.items()})


def _with(**values: Any) -> Change:
    return _record(lambda record: {**record, **values})


def _without(*names: str) -> Change:
    return _record(lambda record: {key: value for key, value in record.items() if key not in names})


def _as_list(response: Any) -> Any:
    return response if isinstance(response, list) else [response] if response else []


_TABLE_NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "CallOutCome": {"subtopic": "CallOutcome"},
    "BusinessOutCome": {"subtopic": "BusinessOutcome"},
    "CallBackModes": {"subtopic": "CallbackModes"},
    "ScheduledCallBackOverlapResult": {"subtopic": "ScheduledCallBackOverlap", "topic": "Outbound"},
}
"""Replies whose tables name them otherwise than their samples do."""

VARIANTS: Final[Mapping[str, Change]] = {
    "topic_webservice": lambda reply: {**reply, "topic": "Webservice"},
    "capital_keys": lambda reply: {key.capitalize(): value for key, value in reply.items()},
    "subtopic_case": lambda reply: {**reply, "subtopic": reply["subtopic"].upper()},
    "subtopic_blanks": lambda reply: {**reply, "subtopic": f" {reply['subtopic']} "},
    "outer_packet": lambda reply: {
        "channel": "LCM",
        "topic": "",
        "subTopic": "",
        "message": reply,
        "ResponseUrl": "https://3rdpartapp.com",
        "subscriberID": "66517761",
    },
    "okmessage": lambda reply: {"channel": "LCM", "topic": "", "subtopic": "", "okmessage": reply},
    "under_data": lambda reply: {"data" if key == "message" else key: value for key, value in reply.items()},
    "array": _response(_as_list),
    "contacts": _response(lambda response: {"Contacts": _as_list(response)}),
    "contacts_and_reason": _response(
        lambda response: {"Contacts": _as_list(response), "RequestFailureReason": "list nearly empty"}
    ),
    "reason": _response(lambda _: {"Contacts": [], "RequestFailureReason": "campaign is stopped"}),
    "no_response": _message(lambda body: body.get("response", body)),
    "text_response": _response(json.dumps),
    "null": _response(lambda _: None),
    "empty_object": _response(lambda _: {}),
    "empty_array": _response(lambda _: []),
    "blank_keys": _record(lambda record: {f"{key} ": value for key, value in record.items()}),
    "lower_keys": _record(lambda record: {key.lower(): value for key, value in record.items()}),
    "lcmkey": _renamed(AccountNumber="LCMKey"),
    "phone_no": _renamed(PhoneNumber="PhoneNo"),
    "ids": _renamed(ContactId="ContactID", CampaignId="CampaignID"),
    "text_numbers": _record(lambda record: {key: str(value) for key, value in record.items()}),
    "call_type_word": _with(CallType="regular callback"),
    "call_type_unknown": _with(CallType=7),
    "consent_y": _with(Consent="Y"),
    "consent_true": _with(Consent=True),
    "consent_text_true": _with(Consent="true"),
    "consent_unknown": _with(Consent="Both"),
    "no_consent": _without("Consent"),
    "no_expiry": _without("ExpiryTime"),
    "bad_expiry": _with(ExpiryTime="soon"),
    "no_key": _without("AccountNumber"),
    "no_number": _without("PhoneNumber"),
    "success_false": _response(lambda _: {"success": False}),
    "bare_boolean": _response(
        lambda response: (
            response["success"] if isinstance(response, Mapping) and "success" in response else response
        )
    ),
    "callid_other": _message(lambda body: {**body, "callid": "99999"}),
    "table_name": lambda reply: {**reply, **_TABLE_NAMES.get(reply["subtopic"], {})},
    "ws_error": lambda reply: {
        **{key: value for key, value in reply.items() if key != "message"},
        "message": {"errorType": "WS_Error", "actualError": "Callid is empty", "message": "Invalid Call ID."},
    },
}
"""By name: what the reply becomes."""

MALFORMED: Final[Mapping[str, Callable[[Reply], str]]] = {
    "curly_quotes": lambda reply: json.dumps(reply, ensure_ascii=False).replace(
        '",', "\N{RIGHT DOUBLE QUOTATION MARK},", 1
    ),
    "request_prefix": lambda reply: f"Request: {json.dumps(reply)}",
    "missing_comma": lambda reply: json.dumps(reply).replace(", ", " ", 1),
}
"""By name: how the documentation's samples fail to be JSON."""
