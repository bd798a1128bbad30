"""Asks registries for the digests of references, in rounds: a round asks all references of one registry once.

1. `rounds_of` sorts the references by registry and decides which are due in this poll: none before the registry's
   interval or pause is over; in a round that did not end, those that were not asked yet.
2. `asked` asks for the due references of all registries, in turn. A registry that refuses or does not answer is asked
   nothing more in this poll (`Round.stopped`), and the others are not delayed.
3. `ended` emits the failures and decides where the registry's next round begins, and when.

A round that stopped continues later where it stopped. So each reference is reached, however few requests a registry
allows (docs/triggers.md#imageupdated).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, zip_longest
from typing import TypeVar

from lib.config.form import Form, whole
from lib.engine import Engine
from lib.engine.errors import EngineError
from lib.engine.request.registry_auth import host_of_reference
from lib.engine.request.registry_login import HUB
from lib.trigger.images.digests import NAME, Asked, Digests, Known
from lib.trigger.images.registry_refusals import (
    LONGEST_PAUSE,
    outcome,
    pause,
    rate_fault,
    reference_fault,
    registry_fault,
)
from lib.trigger.marks.compact import mark
from lib.trigger.poll import Poll

HUB_MINUTES, OTHER_MINUTES = 60, 5
LOOK_UP_SECONDS = 15.0
Answer = TypeVar("Answer")
LookUp = Callable[[Engine, str], Answer]


@dataclass
class Round:
    """The part of one poll that asks one registry.

    `asked`: what is stored of the registry. `due`: references to ask in this poll, in order. `answered`, `errors`: what
    came of them. `stopped`: the registry is asked nothing more in this poll.
    """

    host: str
    references: Sequence[str]
    asked: Asked
    due: Sequence[str] = ()
    answered: set[str] = field(default_factory=set)
    errors: dict[str, Exception] = field(default_factory=dict)
    stopped: bool = False

    def failed(self, reference: str, error: Exception) -> None:
        """Note an error; stop if the registry refuses (rateLimited) or does not answer (unreachable)."""
        self.stopped = self.stopped or outcome(error, reference) in ("rateLimited", "unreachable")


class Passed(EngineError):
    """The reference was not asked, since its registry refuses or does not answer."""


def rounds_of(poll: Poll[Digests], references: Sequence[str]) -> dict[str, Round]:
    """Return host -> round for all registries; `due` is empty for those that are not asked now."""
    before = poll.state or Digests()
    theirs: dict[str, list[str]] = {}
    for name in references:
        theirs.setdefault(host_of_reference(name), []).append(name)
    rounds = {host: Round(host, names, before.host(host)) for host, names in theirs.items()}
    for one in rounds.values():
        if not _may_ask(poll, one.host, one.asked):
            continue
        going_on = bool(one.asked.begin)
        due = [name for name in one.references if not (going_on and before.reference(name).asked)]
        ordered = sorted(due or one.references, key=lambda name: mark(name, NAME))
        one.due = sorted(ordered, key=lambda name: mark(name, NAME) < one.asked.begin)
    return rounds


def minutes(form: Form, host: str = HUB) -> int:
    """Return the minutes between two rounds of a registry; raises BadInput."""
    return whole(form, "minutes", HUB_MINUTES if host == HUB else OTHER_MINUTES, least=0, most=10080)


def _may_ask(poll: Poll[Digests], host: str, asked: Asked) -> bool:
    interval = minutes(poll.form, host) * 60
    if poll.now < asked.at or asked.again - poll.now > max(interval, LONGEST_PAUSE):
        return True  # the engine's clock was set back
    if poll.now < asked.again:
        return False
    return bool(asked.begin) or not asked.at or poll.now - asked.at >= interval


def asked(
    poll: Poll[Digests], rounds: Mapping[str, Round], known: Mapping[str, Known], look_up: LookUp[Answer]
) -> Iterator[tuple[str, Answer]]:
    """Yield (reference, answer of `look_up`) for the due references, from all registries in turn.

    `known`: all references. Errors go into the rounds; raises Unreachable and ReadOnly.
    """
    mixed = chain.from_iterable(zip_longest(*(one.due for one in rounds.values())))
    due = [name for name in mixed if name is not None]
    for name in known.keys() - set(due):
        poll.skip(name)

    def ask(engine: Engine, reference: str) -> Answer:
        one = rounds[host_of_reference(reference)]
        if one.stopped:
            raise Passed(f"{one.host} is left alone")
        try:
            return look_up(engine, reference)
        except EngineError as error:
            one.failed(reference, error)
            raise

    def fault(reference: str, error: Exception) -> None:
        """Keep the error until `ended`, when it is known whether the reference fails or its registry."""
        if not isinstance(error, Passed):
            rounds[host_of_reference(reference)].errors[reference] = error

    answers = poll.each(due, ask, key=str, name=str, fault=fault, missed=poll.skip, seconds=LOOK_UP_SECONDS)
    for reference, answer in answers:
        rounds[host_of_reference(reference)].answered.add(reference)
        yield reference, answer


def ended(poll: Poll[Digests], one: Round, known: dict[str, Known]) -> Asked:
    """Emit what failed, mark the references that were asked in `known`, and return what to store of the registry."""
    told = f"registry {one.host}"
    meanings = {name: outcome(error, name) for name, error in one.errors.items()}
    refused = [name for name, meaning in meanings.items() if meaning == "rateLimited"]
    silent = [name for name, meaning in meanings.items() if meaning == "unreachable"]
    dead = bool(silent) and not one.answered and len(silent) == len(meanings)
    if not one.due:
        poll.skip(told)
        return one.asked
    for name in meanings.keys() - {*refused, *(silent if dead else ())}:
        poll.failed(name, reference_fault(name, meanings[name], one.errors[name]))
        known[name] = replace(known[name], asked=True)
    left = [name for name in one.due if not known[name].asked or name in refused]
    untried = [name for name in left if name not in one.errors]
    again = failures = 0
    if refused:
        failures = 1 if one.answered else one.asked.failures + 1
        again = poll.now + pause(failures)
        poll.failed(told, rate_fault(one.host, pause(failures)))
    elif dead:
        again = poll.now + minutes(poll.form, one.host) * 60
        poll.failed(told, registry_fault(one.host, one.errors[silent[0]]))
    if not left:
        at, begin = poll.now, ""
    elif untried or one.answered or not any(known[name].asked for name in one.references):
        return Asked(one.asked.at, again, failures, mark((untried or left)[0], NAME))
    else:  # only references are left that the registry always refuses: end the round, so the others need not wait
        at, begin = poll.now, mark(left[0], NAME)
    for name in one.references:
        known[name] = replace(known[name], asked=False)
    return Asked(at, again, failures, begin)
