"""Uploads of an action: a request body from an attachment, an address or base64, and stdin for a process."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lib.action.input.sources import attachment_input, attachment_upload, url_upload
from lib.engine.errors import BadInput
from lib.engine.request.archive_kind import check_archive
from lib.engine.request.upload import TAR, Upload
from lib.engine.text import utf8
from lib.sailor import Context, Message


def upload_of(context: Context, message: Message, fields: Mapping[str, Any], *, needed: bool) -> Any:
    """Return the Upload that the first given field of `attachment`, `url` and `requestBody` names.

    If none is given and a body is `needed`, the message's only attachment is taken; otherwise returns None. The source
    is open when this returns; the caller has to `close()` the Upload. Raises BadInput if there is no source or more
    than one attachment, or if the source cannot be read or is no archive. Raises StorageUnreachable if the storage may
    answer later.
    """
    attachments = message.attachments or {}
    name = fields.get("attachment")
    if name:
        return _archive(_attached(context, attachments, str(name)), "attachment")
    if fields.get("url"):
        return _archive(url_upload(str(fields["url"]), context.settings.urls), "url")
    if fields.get("requestBody"):
        return _archive(_inline(fields["requestBody"]), "requestBody")
    if not needed:
        return None
    if len(attachments) == 1:
        return _archive(_attached(context, attachments, next(iter(attachments))), "attachment")
    if attachments:
        raise BadInput(
            f"attachment must say which of {', '.join(sorted(attachments))} is meant", field="attachment"
        )
    raise BadInput(
        "There is nothing to send",
        field="attachment",
        hint="Give an attachment, a url, or requestBody in base64",
    )


def _archive(upload: Upload, field: str) -> Upload:
    """Return the upload if it is an archive; otherwise close it and raise BadInput."""
    try:
        check_archive(upload.beginning, field)
    except BadInput:
        upload.close()
        raise
    return upload


def input_of(context: Context, message: Message, fields: Mapping[str, Any], text_field: str) -> Upload | None:
    """Return stdin for a process: the text in `text_field`, or the attachment in `stdinAttachment`, or None.

    The action names the field: `stdin` is a text in ExecStart and a switch in ContainerAttach. Raises BadInput.
    """
    name, text = fields.get("stdinAttachment"), fields.get(text_field)
    if name and text:
        raise BadInput(f"{text_field} and stdinAttachment are both given: give one", field=text_field)
    if name:
        return _attached(context, message.attachments or {}, str(name), "stdinAttachment")
    if text is None:
        return None
    data = utf8(str(text), text_field)
    return Upload([data], len(data))


@contextmanager
def released(fields: Mapping[str, Any]) -> Iterator[None]:
    """Close the uploads in `fields` at the end of the `with` block, read or not."""
    try:
        yield
    finally:
        for name in ("requestBody", "input"):
            if isinstance(upload := fields.get(name), Upload):
                upload.close()


def _attached(
    context: Context, attachments: Mapping[str, Any], name: str, field: str = "attachment"
) -> Upload:
    attachment = attachments.get(name)
    if not isinstance(attachment, Mapping) or context.storage is None:
        there = ", ".join(sorted(attachments)) or "none"
        raise BadInput(f"{field}: the message has no {name!r}", field=field, hint=f"It has {there}")
    if field == "attachment":
        return attachment_upload(context.storage, attachment, name)
    return attachment_input(context.storage, attachment, name, field)


def _inline(value: Any) -> Upload:
    if not isinstance(value, str):
        raise BadInput("requestBody must be base64 text", field="requestBody", hint="Or use an attachment")
    try:
        return Upload([data := base64.b64decode("".join(value.split()), validate=True)], len(data), TAR)
    except binascii.Error:
        raise BadInput(
            "requestBody is no base64", field="requestBody", hint="Encode the archive, or use an attachment"
        ) from None
