"""A folder, or a place in S3, into which somebody puts documents."""
