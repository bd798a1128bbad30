"""The truth of the trigger tests is whole, also where the engine has not written its last events yet."""

from __future__ import annotations

import socket

from tests.lab.engine import LabEngine
from tests.triggers.event_recorder import EventRecorder


def test_what_the_stream_did_not_bring_before_it_ended_is_known(engine_lab: LabEngine) -> None:
    truth = EventRecorder(engine_lab)
    engine_lab.wire.do("POST", f"/images/{engine_lab.image}/tag", repo="written", tag="in-time")
    truth.wait("tag", engine_lab.wire.do("GET", f"/images/{engine_lab.image}/json").json()["Id"])
    truth._connection.sock.shutdown(socket.SHUT_RDWR)
    truth._thread.join()
    engine_lab.wire.do("POST", f"/images/{engine_lab.image}/tag", repo="written", tag="too-late")

    truth.close()

    ours = [event["Actor"]["Attributes"]["name"] for event in truth.events if event["Action"] == "tag"]
    assert [name for name in ours if name.startswith("written:")] == ["written:in-time", "written:too-late"]
