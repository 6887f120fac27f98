"""What two services need, and is either domain truth or how a process runs."""
