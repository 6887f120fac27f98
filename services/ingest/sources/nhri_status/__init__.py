"""The accreditation of national human rights institutions by year."""
