"""The public JSON shapes, used alike by responses, search hits and webhook payloads."""
