"""Actions on images: build, pull, push, tags, archives."""

from __future__ import annotations

from functools import partial

from lib.action import Answer, action
from lib.engine import Engine, Fields
from lib.engine.answer.build_progress import BuildProgress
from lib.engine.buildkit.choice import BUILDKIT, builder, heredoc_warnings
from lib.engine.buildkit.image_store import check_squash
from lib.engine.errors import BadInput
from lib.engine.request.build_context import BuildContext, packs
from lib.engine.request.published_ports import exposed
from lib.engine.request.query import (
    as_json,
    body_object,
    filters,
    platform_json,
    repeated,
    repeated_platforms,
    whole,
)
from lib.engine.request.registry_auth import RegistryAuth, RegistryConfig

_BUILD = (
    "dockerfile",
    repeated("t"),
    repeated("extrahosts"),
    "remote",
    "q",
    "nocache",
    as_json("cachefrom"),
    "pull",
    "rm",
    "forcerm",
    "memory",
    "memswap",
    "cpushares",
    "cpusetcpus",
    "cpusetmems",
    "cpuperiod",
    "cpuquota",
    as_json("buildargs"),
    "shmsize",
    "squash",
    as_json("labels"),
    "networkmode",
    "platform",
    "target",
    as_json("outputs"),
    "version",
    "cgroupparent",
    repeated("securityopt"),
    "isolation",
    as_json("ulimits"),
    "session",
    "buildid",
)


@action("ImageList")
def image_list(engine: Engine, fields: Fields) -> Answer:
    """List images: GET /images/json."""
    query = ("all", filters(), "shared-size", "digests", "manifests", "identity")
    return engine.get("/images/json", fields, query=query)


@action("ImageBuild", upload=lambda fields: not fields.get("remote") and not packs(fields))
def image_build(engine: Engine, fields: Fields) -> Answer:
    """Build an image: POST /build."""
    packed = BuildContext(fields) if packs(fields) else None
    context = packed.upload() if packed else fields["requestBody"]
    dockerfile = packed.dockerfile if packed else ""
    chosen = builder(engine, fields, dockerfile)
    check_squash(engine, fields)
    if chosen == BUILDKIT:
        from lib.engine.buildkit.build import build

        return build(engine, fields, _BUILD, context)
    sent = {**fields, "version": chosen}
    lines = engine.progress("/build", sent, query=_BUILD, headers=(RegistryConfig(),), body=context)
    warnings = heredoc_warnings(dockerfile, fields.get("dockerfile") or "Dockerfile")
    lines.progress = partial(BuildProgress, image=not fields.get("outputs"), warnings=warnings)
    return lines


@action("BuildPrune")
def build_prune(engine: Engine, fields: Fields) -> Answer:
    """Delete the build cache: POST /build/prune."""
    query = (
        whole("keep-storage"),
        whole("reserved-space"),
        whole("max-used-space"),
        whole("min-free-space"),
        "all",
        filters(deletes=True, flags=("inuse", "shared", "private"), ignored=("label", "label!")),
    )
    return engine.post("/build/prune", fields, query=query, timeout="slow")


@action("ImageCreate", upload=lambda fields: fields.get("fromSrc") == "-")
def image_create(engine: Engine, fields: Fields) -> Answer:
    """Pull or import an image: POST /images/create. A pull without a tag pulls `latest`, not all tags."""
    name = fields.get("fromImage")
    if name and not fields.get("tag") and "@" not in name and ":" not in name.rpartition("/")[2]:
        fields = {**fields, "tag": "latest"}
    query = ("fromImage", "fromSrc", "repo", "tag", "message", repeated("changes"), "platform")
    return engine.progress(
        "/images/create", fields, query=query, headers=(RegistryAuth("fromImage"),), body="requestBody"
    )


@action("ImageInspect")
def image_inspect(engine: Engine, fields: Fields) -> Answer:
    """Inspect an image: GET /images/{name}/json."""
    return engine.get("/images/{+name}/json", fields, query=("manifests", platform_json()))


@action("ImageAttestations")
def image_attestations(engine: Engine, fields: Fields) -> Answer:
    """List the attestations of an image: GET /images/{name}/attestations."""
    query = (platform_json(), repeated("type"), "statement")
    return engine.get("/images/{+name}/attestations", fields, query=query)


@action("ImageHistory")
def image_history(engine: Engine, fields: Fields) -> Answer:
    """Show how an image was made: GET /images/{name}/history."""
    return engine.get("/images/{+name}/history", fields, query=(platform_json(),))


@action("ImagePush")
def image_push(engine: Engine, fields: Fields) -> Answer:
    """Push an image to its registry: POST /images/{name}/push."""
    return engine.progress(
        "/images/{+name}/push",
        fields,
        query=("tag", platform_json()),
        headers=(RegistryAuth("name", always=True),),
    )


@action("ImageTag")
def image_tag(engine: Engine, fields: Fields) -> Answer:
    """Tag an image: POST /images/{name}/tag."""
    return engine.post("/images/{+name}/tag", fields, query=("repo", "tag"))


@action("ImageDelete")
def image_delete(engine: Engine, fields: Fields) -> Answer:
    """Delete an image: DELETE /images/{name}."""
    query = ("force", "noprune", repeated_platforms())
    return engine.delete("/images/{+name}", fields, query=query, timeout="slow")


@action("ImageSearch")
def image_search(engine: Engine, fields: Fields) -> Answer:
    """Search a registry for images: GET /images/search."""
    return engine.get(
        "/images/search",
        fields,
        query=("term", "limit", filters()),
        headers=(RegistryAuth("term"),),
        timeout="slow",
    )


@action("ImagePrune")
def image_prune(engine: Engine, fields: Fields) -> Answer:
    """Delete unused images: POST /images/prune."""
    return engine.post("/images/prune", fields, query=(filters(deletes=True),), timeout="slow")


@action("ImageCommit")
def image_commit(engine: Engine, fields: Fields) -> Answer:
    """Create an image from a container: POST /commit."""
    query = ("container", "repo", "tag", "comment", "author", "pause", repeated("changes"))
    return engine.post("/commit", fields, query=query, body=exposed(body_object(fields)), timeout="slow")


@action("ImageGet")
def image_get(engine: Engine, fields: Fields) -> Answer:
    """Save an image as an archive: GET /images/{name}/get."""
    return engine.tar(
        "/images/{+name}/get", fields, query=(repeated_platforms("platform"),), name="image.tar"
    )


@action("ImageGetAll")
def image_get_all(engine: Engine, fields: Fields) -> Answer:
    """Save several images in one archive: GET /images/get."""
    if not fields.get("names"):
        raise BadInput(
            "names is missing", field="names", hint='Give the images, such as ["shop/web:1.4", "redis:7"]'
        )
    return engine.tar(
        "/images/get", fields, query=(repeated("names"), repeated_platforms("platform")), name="images.tar"
    )


@action("ImageLoad", upload=lambda _: True)
def image_load(engine: Engine, fields: Fields) -> Answer:
    """Load images from an archive: POST /images/load."""
    query = ("quiet", repeated_platforms("platform"))
    return engine.progress("/images/load", {"quiet": False, **fields}, query=query, body="requestBody")
