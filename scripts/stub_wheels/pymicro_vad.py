"""A stub for voice activity detection."""


class MicroVad:
    """Cannot be instantiated."""

    def __init__(self) -> None:
        """Raise an error that names the missing package."""
        raise NotImplementedError("voice needs pymicro-vad, which is not installed")
