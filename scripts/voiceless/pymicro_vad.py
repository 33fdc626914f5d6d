"""Voice activity detection, which is not here."""


class MicroVad:
    """Cannot be made."""

    def __init__(self) -> None:
        """Say why."""
        raise NotImplementedError("voice needs pymicro-vad, which is not installed")
