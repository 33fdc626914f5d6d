"""Noise suppression, which is not here."""


class AudioProcessor:
    """Cannot be made."""

    def __init__(self, auto_gain: float, noise_suppression: float) -> None:
        """Say why."""
        raise NotImplementedError("voice needs pyspeex-noise, which is not installed")
