"""TLS towards the LCM: always verified."""

import ssl
from pathlib import Path
from typing import Literal

from cti_hooks.secret import SecretError, refuse_exposed
from lcm_plugin.config import Tls
from lcm_plugin.errors import Fault, LcmConfigError


def ssl_context(tls: Tls, directory: Path) -> ssl.SSLContext | Literal[True]:
    """A verifying context; paths are relative to `directory`. True is aiohttp's own, which it makes once.

    Raises:
        LcmConfigError: a certificate or key cannot be read, or others can read the key; names the file.
    """
    if tls == Tls():
        return True
    context = _trusting(directory / tls.ca_file) if tls.ca_file else ssl.create_default_context()
    if tls.cert_file:
        certificate = directory / tls.cert_file
        key = directory / tls.key_file if tls.key_file else certificate
        try:
            refuse_exposed(key)
            context.load_cert_chain(certificate, key)
        except SecretError as error:
            raise LcmConfigError(f"the key {key}: {error}", fault=Fault.NOT_SENT) from None
        except (OSError, ValueError):  # ssl's errors are OSError's
            raise _unreadable(certificate) from None
    return context


def _trusting(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError):
        raise _unreadable(ca_file) from None


def _unreadable(path: Path) -> LcmConfigError:
    return LcmConfigError(f"the certificate or its key cannot be read: {path}", fault=Fault.NOT_SENT)
