"""The event actions that engines know. A misspelt action in the form is refused: no event would ever match it."""

from __future__ import annotations

from lib.config.form import Form, meant, shown, words, wrong

_ACTIONS = """archive-path attach commit connect copy create delete destroy detach die disable disconnect enable
exec_create exec_detach exec_die exec_start export extract-to-dir health_status import install kill load mount oom
pause prune pull push reload remove rename resize restart save start stop tag top unmount unpause untag update
upgrade"""
KNOWN = frozenset(_ACTIONS.split())


def chosen_actions(form: Form) -> frozenset[str]:
    """Return the entries of the form's field `actions`, an empty set if there are none.

    Raises BadInput for an unknown action that is spelt like a known one. Other unknown actions pass: a newer engine
    may have them.
    """
    chosen = words(form, "actions")
    for action in chosen:
        close = "" if action.partition(":")[0] in KNOWN else meant(action, KNOWN)
        if close:
            raise wrong(form, "actions", f"{shown(action)} is no action of an engine. {close.strip()}")
    return frozenset(chosen)
