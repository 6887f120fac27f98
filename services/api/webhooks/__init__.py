"""Endpoints, fan-out, delivery, signing, and the guard against private addresses."""
