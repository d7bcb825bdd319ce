"""Whether a steering command can be carried out, and in what words it is acknowledged. Pure.

A refusal is an ``InputError`` whose sentence names the thing, the value and the remedy. Whatever a command does
to the rest (room in a population, settings against each other) is tried out on a copy of the record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from engine.commands import Ban, EditCommit, Inject, Lift, Pin, Rescore, SetKnobs, Steering, Undo, Unpin
from engine.config import MAX_PROMPT_CHARACTERS, prompt_fault, with_knobs
from engine.errors import InputError
from engine.genetic import normalise
from engine.models.metaprompts import load_metaprompts
from engine.protocol import BanEntry
from engine.steering import Entry, Record
from store.vocabulary import CandidateState

MAX_INJECTED_BYTES = 400_000
"""UTF-8 bytes of one command's prompts: what is recorded of it must fit into a line of the protocol."""

MAX_BANS = 100


@dataclass(frozen=True)
class Ruling:
    """A command as it is carried out (prompts that cannot be taken are left out of it), and its sentence."""

    command: Steering
    sentence: str


def rule(
    command: Steering,
    record: Record,
    generation: int,
    state_of: Callable[[int], CandidateState],
    begun: Callable[[str], bool],
) -> Ruling:
    """Return how a command is carried out from the breeding of ``generation`` on.

    Args:
        command: what was asked for.
        record: the commands before it.
        generation: the first generation whose breeding has not begun.
        state_of: the state of a candidate of the session.
        begun: whether the measurement that a command ordered has begun.

    Raises:
        InputError: it cannot be carried out.
    """
    judge = _Judge(record, generation, state_of, begun)
    match command:
        case EditCommit():
            ruling = judge.edit(command)
        case Inject():
            ruling = judge.inject(command)
        case Pin():
            ruling = judge.pin(command)
        case Unpin():
            ruling = judge.unpin(command)
        case Ban():
            ruling = judge.ban(command)
        case Lift():
            ruling = judge.lift(command)
        case Rescore():
            ruling = judge.rescore(command)
        case SetKnobs():
            ruling = judge.set_knobs(command)
        case Undo():
            ruling = judge.undo(command)
    trial = judge.trial(ruling.command)
    trial.check(generation)
    return ruling


class _Judge:
    def __init__(
        self,
        record: Record,
        generation: int,
        state_of: Callable[[int], CandidateState],
        begun: Callable[[str], bool],
    ) -> None:
        self._record = record
        self._family = record.family
        self._generation = generation
        self._state_of = state_of
        self._begun = begun
        self._rules = record.rules(generation)
        self._bans = record.bans(self._rules)

    def trial(self, command: Steering) -> Record:
        """The record as it would be."""
        trial = self._record.copy()
        trial.append(Entry(command.id, "", self._generation, command, ""))
        return trial

    # ------------------------------------------------------------ prompts

    def edit(self, command: EditCommit) -> Ruling:
        member = self._family.member(command.candidate_id)
        if fault := prompt_fault(command.prompt):
            raise InputError(f"The edited prompt {fault}.")
        if member.lineage in self._bans.lineages:
            raise InputError(f"The lineage of candidate {member.id} is banned: lift the ban first.")
        if self._bans.forbid(command.prompt):
            raise InputError("The edited prompt is banned, or a word of it is: lift the ban first.")
        if self._is_there(command.prompt):
            raise InputError("The edited prompt is in the session already: change a word of it.")
        (place,) = self._places(command)
        return Ruling(
            command, f"The edited prompt enters generation {place} as a child of candidate {member.id}."
        )

    def inject(self, command: Inject) -> Ruling:
        taken: dict[str, str] = {}
        left_out = 0
        size = sum(len(prompt.encode(errors="replace")) for prompt in command.prompts)
        if size > MAX_INJECTED_BYTES:
            raise InputError(
                f"The {len(command.prompts)} prompts have {size} bytes: inject at most {MAX_INJECTED_BYTES} at once."
            )
        for number, prompt in enumerate(command.prompts, 1):
            if fault := prompt_fault(prompt):
                raise InputError(f"Prompt {number} of {len(command.prompts)} {fault}.")
            if self._bans.forbid(prompt):
                raise InputError(
                    f"Prompt {number} of {len(command.prompts)} is banned, or a word of it is: lift the ban first."
                )
            if normalise(prompt) in taken or self._is_there(prompt):
                left_out += 1
            else:
                taken[normalise(prompt)] = prompt
        if not taken:
            raise InputError(f"{_all_of(len(command.prompts))} in the session already: inject other prompts.")
        admitted = msgspec.structs.replace(command, prompts=tuple(taken.values()))
        places = sorted(Counter(self._places(admitted)).items())
        parts = [
            f"{_prompts(count)} {'enters' if count == 1 else 'enter'} generation {n}" for n, count in places
        ]
        shown = parts if len(parts) <= 4 else [*parts[:3], f"and so on up to generation {places[-1][0]}"]
        rest = f"; {_prompts(left_out)} left out (in the session already)" if left_out else ""
        return Ruling(admitted, f"{', '.join(shown)}{rest}.")

    def _is_there(self, prompt: str) -> bool:
        text = normalise(prompt)
        return bool(self._family.incarnations(prompt)) or text in self._waiting

    @property
    def _waiting(self) -> set[str]:
        first = self._generation
        return {normalise(one.prompt) for one in self._record.humans() if one.generation >= first}

    def _places(self, command: EditCommit | Inject) -> list[int]:
        return [one.generation for one in self.trial(command).humans() if one.command_id == command.id]

    # ------------------------------------------------------------ pins and bans

    def pin(self, command: Pin) -> Ruling:
        member = self._family.member(command.candidate_id)
        if self._pinned(member.id):
            raise InputError(f"Candidate {member.id} is pinned already: there is nothing to do.")
        if self._state_of(member.id) == "failed":
            raise InputError(f"Candidate {member.id} has no score and cannot be pinned: choose another one.")
        if self._bans.exclude(member.prompt, member.lineage):
            raise InputError(f"Candidate {member.id} is banned: lift the ban before you pin it.")
        return Ruling(
            command,
            f"Candidate {member.id} is pinned: it survives, and is measured again from generation "
            f"{self._generation} on.",
        )

    def unpin(self, command: Unpin) -> Ruling:
        member = self._family.member(command.candidate_id)
        if not self._pinned(member.id):
            raise InputError(f"Candidate {member.id} is not pinned: there is nothing to undo.")
        return Ruling(
            command, f"Candidate {member.id} is pinned no more from generation {self._generation} on."
        )

    def _pinned(self, candidate_id: int) -> bool:
        text = normalise(self._family.member(candidate_id).prompt)
        return any(normalise(self._family.member(pin).prompt) == text for pin in self._rules.pins)

    def ban(self, command: Ban) -> Ruling:
        about = self._about(command)
        if self._in_force(command) is not None:
            raise InputError(f"{about} is banned already: there is nothing to do.")
        if len(self._rules.bans) >= MAX_BANS:
            raise InputError(f"{MAX_BANS} bans are in force: lift one of them first.")
        trial = self.trial(command)
        bans = trial.bans(trial.rules(self._generation))
        for pin in self._rules.pins:
            member = self._family.member(pin)
            if bans.exclude(member.prompt, member.lineage):
                raise InputError(f"{about} cannot be banned while candidate {pin} is pinned: unpin it first.")
        kept_out = sum(
            bans.forbid(one.prompt) and not self._bans.forbid(one.prompt)
            for one in self._record.humans()
            if one.generation >= self._generation
        )
        rest = f"; this keeps {_prompts(kept_out)} out that you gave" if kept_out else ""
        return Ruling(command, f"{about} is banned from generation {self._generation} on{rest}.")

    def lift(self, command: Lift) -> Ruling:
        about = self._about(command)
        if self._in_force(command) is None:
            raise InputError(f"{about} is not banned: there is nothing to lift.")
        return Ruling(command, f"{about} is allowed again from generation {self._generation} on.")

    def _about(self, command: Ban | Lift) -> str:
        if len(command.text) > MAX_PROMPT_CHARACTERS:
            raise InputError(
                f"A text of {len(command.text)} characters cannot be banned: no prompt has more than "
                f"{MAX_PROMPT_CHARACTERS}."
            )
        words = normalise(f"a {command.text}").split()[1:]  # a text of signs alone has no word
        if command.what == "lineage":
            self._record.ban_key(command)  # names a missing candidate
            return f"The lineage of candidate {command.candidate_id}"
        if not words and (command.what == "word" or not command.text.strip()):
            raise InputError(f"A ban of a {command.what} needs its text: name it.")
        if command.what == "word":
            if len(words) > 1:
                raise InputError(f"A banned word is one word and this is {len(words)}: ban them one by one.")
            return f"The word {words[0]!r}"
        return "The prompt"

    def _in_force(self, command: Ban | Lift) -> BanEntry | None:
        key = self._record.ban_key(command)
        for entry in self._rules.bans:
            same = Ban(
                id=entry.command_id,
                session_id=command.session_id,
                what=command.what,
                text=entry.text,
                candidate_id=entry.candidate_id,
            )
            if entry.what == command.what and self._record.ban_key(same) == key:
                return entry
        return None

    # ------------------------------------------------------------ measurements, settings, second thoughts

    def rescore(self, command: Rescore) -> Ruling:
        member = self._family.member(command.candidate_id)
        if (state := self._state_of(member.id)) != "scored":
            why = "has no score" if state == "failed" else "is being measured"
            raise InputError(f"Candidate {member.id} {why}: measure one again that has a score.")
        return Ruling(
            command,
            f"Candidate {member.id} is measured again with {command.images} more images; its new score counts "
            f"from generation {self._generation} on.",
        )

    def set_knobs(self, command: SetKnobs) -> Ruling:
        knobs = dict(command.knobs)
        turned = with_knobs(self._rules.config, knobs, self._generation)
        if (prompts := knobs.get("prompts")) is not None:
            if not Path(str(prompts)).is_absolute():
                raise InputError(f"The knob prompts = {prompts!r}: give the directory's absolute path.")
            load_metaprompts(Path(str(prompts)))
        if turned.search.generations < self._generation - 1:
            raise InputError(
                f"The knob generations = {turned.search.generations}: generation {self._generation - 1} is "
                f"under way, choose at least {self._generation - 1}."
            )
        values = {
            name: turned.writer.prompts if name == "prompts" else getattr(turned.search, name)
            for name in knobs
        }
        shown = ", ".join(f"{name} = {value!r}" for name, value in values.items())
        return Ruling(
            msgspec.structs.replace(command, knobs=values), f"{shown} from generation {self._generation} on."
        )

    def undo(self, command: Undo) -> Ruling:
        entry = self._record.find(command.command_id)
        if entry is None or isinstance(entry.command, Undo):
            raise InputError(
                f"There is no steering command {command.command_id} in this session: look into its record."
            )
        if self._record.is_undone(entry.command_id):
            raise InputError(
                f"The command {entry.command_id} is withdrawn already: there is nothing to undo."
            )
        if isinstance(entry.command, Rescore) and self._begun(entry.command_id):
            raise InputError("The measurement has begun and cannot be withdrawn: let it finish.")
        if entry.generation < self._generation:
            raise InputError(
                f"The command counts since generation {entry.generation}, which is bred already: give the "
                "opposite command for the generations to come."
            )
        return Ruling(command, f"Withdrawn: {entry.sentence}")


def _prompts(count: int) -> str:
    return "1 prompt" if count == 1 else f"{count} prompts"


def _all_of(count: int) -> str:
    return "The prompt is" if count == 1 else f"All {count} prompts are"
