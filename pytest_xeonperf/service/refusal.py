"""An error, as every answer of the service has it."""

from __future__ import annotations

from starlette.responses import JSONResponse

_LONGEST = 500


def refusal(status: int, what: str, *, where: str = "", remedy: str = "") -> JSONResponse:
    """What, where, and what to do; whoever sent too much does not get all of it back."""
    said = {name: text[:_LONGEST] for name, text in (("what", what), ("where", where), ("remedy", remedy))}
    return JSONResponse({"error": said}, status_code=status)
