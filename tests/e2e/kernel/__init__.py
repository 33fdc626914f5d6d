"""The folder from which a process with a settable clock imports ``sitecustomize``."""
