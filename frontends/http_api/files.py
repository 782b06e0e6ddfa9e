"""Files of messages, served so that nothing in them can act in the name of our page."""

from starlette.responses import FileResponse, Response

from frontends.http_api.calls import Call

__all__ = ["read", "shown_inline"]

_HEADERS = {
    # the same bytes as long as it is there, but it may be deleted, and is its owner's alone
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def shown_inline(media_type: str) -> bool:
    """Whether a browser may show it: what can hold no script. The rest is saved to the disk."""
    kind, _, rest = media_type.lower().partition(";")[0].partition("/")
    return (
        (kind == "image" and "svg" not in rest)
        or kind in {"audio", "video"}
        or (kind, rest) == ("text", "plain")
    )


async def read(call: Call) -> Response:
    """The content of a file, whole or in ranges."""
    attachment, path = await call.engine.attachment(call.id, call.index, user=call.user)
    etag = f'"{attachment.sha256}"'
    headers = {**_HEADERS, "ETag": etag}
    if etag in call.request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return FileResponse(
        path,
        headers=headers,
        media_type=attachment.media_type,
        filename=attachment.name,
        content_disposition_type="inline" if shown_inline(attachment.media_type) else "attachment",
    )
