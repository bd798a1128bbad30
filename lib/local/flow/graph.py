"""Checks the shape of a flow: edges between known nodes, no circle, one trigger, every node reachable from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter

Link = tuple[str, str]


def problems_of(nodes: Sequence[str], links: Sequence[Link], triggers: Sequence[str]) -> list[str]:
    """Return the problems of a flow's shape, sentences that name nodes or edges; empty when there are none.

    `links` are pairs of source and target, `triggers` the nodes that run a trigger.
    """
    unknown = [problem for link in links for problem in _unknown_ends(link, nodes)]
    if unknown:
        return unknown
    try:
        in_order(nodes, links)
    except CycleError as error:
        circle = " -> ".join(error.args[1])
        return [f"circle {circle}: take one of these edges out, messages would run for ever"]
    found = _trigger_problems(triggers, links)
    if found:
        return found
    reached = _reached(triggers[0], links)
    return [
        f"node {node}: no edge leads to it; connect it or take it out"
        for node in nodes
        if node not in reached
    ]


def in_order(nodes: Sequence[str], links: Sequence[Link]) -> list[str]:
    """Return the nodes, each after all that lead to it; raises CycleError when there is a circle."""
    order: TopologicalSorter[str] = TopologicalSorter(dict.fromkeys(nodes, ()))
    for source, target in links:
        order.add(target, source)
    return list(order.static_order())


def _unknown_ends(link: Link, nodes: Sequence[str]) -> list[str]:
    known = ", ".join(nodes)
    return [
        f"edge {link[0]} -> {link[1]}: there is no node {end}; the nodes are {known}"
        for end in dict.fromkeys(link)
        if end not in nodes
    ]


def _trigger_problems(triggers: Sequence[str], links: Iterable[Link]) -> list[str]:
    if not triggers:
        return ["no node runs a trigger; a flow begins with exactly one"]
    if len(triggers) > 1:
        return [
            f"nodes {', '.join(triggers)} run triggers; a flow begins with exactly one, split it into flows"
        ]
    return [
        f"edge {source} -> {target}: a trigger takes no messages; turn the edge round or take it out"
        for source, target in links
        if target == triggers[0]
    ]


def _reached(start: str, links: Sequence[Link]) -> set[str]:
    reached, ahead = {start}, [start]
    while ahead:
        here = ahead.pop()
        new = {target for source, target in links if source == here} - reached
        reached |= new
        ahead.extend(new)
    return reached
