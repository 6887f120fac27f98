"""Small files that servers in tests send; written for that."""

PDF = b"%PDF-1.7\nA sample of the project, long enough to be cut off.\nstartxref\n0\n%%EOF\n"
PAGE = b"<!DOCTYPE html><html><head><title>UN</title></head><body>Nothing here</body></html>"
LOGIN = b"<html><body><form action='/login'><input name=u><input type='password' name=p></form></body></html>"
