"""What a process with a moved clock imports first, if its clock can be set."""
