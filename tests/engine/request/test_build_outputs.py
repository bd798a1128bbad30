from __future__ import annotations

import pytest

from lib.engine.errors import BadInput
from lib.engine.request.build_outputs import BuildOutput, build_output

TAR = BuildOutput("tar")
PUSH = BuildOutput("image", {"name": "r/web:1", "push": "true"})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, BuildOutput()),
        ("", BuildOutput()),
        ([], BuildOutput()),
        ("[]", BuildOutput()),
        ([{"type": "tar"}], TAR),
        ([{"type": "local", "dest": "out"}], TAR),
        ('[{"Type": "local", "Attrs": {"dest": "out"}}]', TAR),
        ([{"type": "image", "name": "r/web:1", "push": True}], PUSH),
        ([{"Type": "image", "Attrs": {"name": "r/web:1", "push": "true"}}], PUSH),
        ({"type": "oci", "compression-level": 3}, BuildOutput("oci", {"compression-level": "3"})),
    ],
)
def test_outputs_are_read_in_the_forms_that_people_write(value, expected):
    assert build_output(value) == expected


@pytest.mark.parametrize("value", ["zip", [{}], [1], [{"type": "tar"}, {"type": "tar"}], [{"type": 7}], "{"])
def test_what_is_no_output_is_refused(value):
    with pytest.raises(BadInput) as caught:
        build_output(value)
    assert caught.value.field == "outputs"


def test_an_output_is_written_as_the_engine_reads_it():
    assert PUSH.as_list() == [{"Type": "image", "Attrs": {"name": "r/web:1", "push": "true"}}]
    assert BuildOutput().as_list() == []
    assert [BuildOutput(kind).is_archive for kind in ("tar", "oci", "docker", "image", "")] == [True] * 3 + [
        False
    ] * 2
