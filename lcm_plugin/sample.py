"""A sample of the LCM's replies, read as a download; the LCM is not asked."""

from cti_hooks import Contact
from lcm_plugin.lcm.catalogue import CATALOGUE
from lcm_plugin.lcm.decode import decode
from lcm_plugin.lcm.normalize import Normalizer
from lcm_plugin.plugin import LcmPlugin


def contacts_in(reply: bytes, lcm: LcmPlugin) -> list[Contact]:
    """The contacts a reply becomes by these settings.

    Raises:
        LcmError: as for a reply that came over the wire.
    """
    records = decode(CATALOGUE[lcm.settings.download_with], reply).records
    normalizer = Normalizer(lcm.settings)
    return [normalizer.contact(record, campaign_group="", reserved=False) for record in records]
