"""What a dial's status says if a channel ends without a cause: a Local one that ends by `Busy()`."""

from typing import Final

CAUSES: Final = {"BUSY": 17, "CONGESTION": 34, "NOANSWER": 19, "CHANUNAVAIL": 20, "CANCEL": 16}
"""Q.850, by Asterisk's name of the status."""
