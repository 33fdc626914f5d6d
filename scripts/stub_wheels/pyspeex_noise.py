"""A stub for noise suppression."""


class AudioProcessor:
    """Cannot be instantiated."""

    def __init__(self, auto_gain: float, noise_suppression: float) -> None:
        """Raise an error that names the missing package."""
        raise NotImplementedError("voice needs pyspeex-noise, which is not installed")
