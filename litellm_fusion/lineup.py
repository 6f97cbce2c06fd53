"""Who plays which part in a run: config → Lineup. Pure; what it needs to know of models is passed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from litellm_fusion.config import AUTO, FusionConfig, Judge


@dataclass(frozen=True, slots=True)
class Seat:
    """One place in the panel; `number` counts from 1 over all samples."""

    number: int
    model: str
    params: Mapping[str, Any] = field(default_factory=dict)
    instructions: str = ""
    tools: bool = True


@dataclass(frozen=True, slots=True)
class Lineup:
    """The parts of one run by model_name. `judge` is empty when the analysis is off."""

    seats: tuple[Seat, ...]
    reserves: tuple[str, ...]
    judges: tuple[str, ...]
    synthesizers: tuple[str, ...]
    direct: str
    quorum: int

    @property
    def models(self) -> tuple[str, ...]:
        """Every model that may be asked, each once."""
        seats = (seat.model for seat in self.seats)
        return tuple(dict.fromkeys((*seats, *self.reserves, *self.judges, *self.synthesizers, self.direct)))


def line_up(config: FusionConfig, provider_of: Callable[[str], str | None]) -> Lineup:
    """The parts as configured. The default judge is the first panel model of another provider than the synthesizer:
    judges prefer their own family's text (2404.13076). `provider_of` gives a model's provider, or None.
    """
    panel = [member.model for member in config.panel]
    seats: list[Seat] = []
    for member in config.panel:
        for _ in range(member.samples):
            seats.append(Seat(len(seats) + 1, member.model, member.params, member.instructions, member.tools))
    synthesizer = config.synthesizer.model or panel[0]
    judges: tuple[str, ...] = ()
    if isinstance(config.judge, Judge):
        own = provider_of(synthesizer)
        others = (model for model in panel if provider_of(model) not in (own, None))
        judge = config.judge.model or next(others, synthesizer)
        judges = tuple(dict.fromkeys((judge, *config.judge.backups)))
    return Lineup(
        seats=tuple(seats),
        reserves=config.reserves,
        judges=judges,
        synthesizers=tuple(dict.fromkeys((synthesizer, *config.synthesizer.backups))),
        direct=config.direct or synthesizer,
        quorum=quorum_of(config.limits.quorum, len(seats)),
    )


def quorum_of(quorum: int | str, seats: int) -> int:
    """How many usable answers end the waiting: one less than the panel from three members up, else all."""
    if quorum != AUTO:
        return min(int(quorum), seats)
    return seats - 1 if seats >= 3 else seats


def sole(config: FusionConfig, lineup: Lineup, model: str) -> bool:
    """Whether this model gives every direct answer: then unmarked thinking in a history can only be its own."""
    ruled = (rule.use.model for rule in config.policy if rule.use.model)
    return {config.direct or lineup.direct, *lineup.synthesizers[:1], *ruled} == {model}


def only(lineup: Lineup, trusted: frozenset[str] | set[str]) -> Lineup:
    """The lineup without any model outside `trusted`, in every part. `direct` becomes the first trusted one there is
    in the lineup's own order, else the first of `trusted` by name, else empty: then nobody may be asked.
    """
    first = next((model for model in (lineup.direct, *lineup.models) if model in trusted), None)
    seats = tuple(seat for seat in lineup.seats if seat.model in trusted)
    return Lineup(
        seats=seats,
        reserves=tuple(model for model in lineup.reserves if model in trusted),
        judges=tuple(model for model in lineup.judges if model in trusted),
        synthesizers=tuple(model for model in lineup.synthesizers if model in trusted)
        or tuple(seat.model for seat in seats[:1]),
        direct=first or next(iter(sorted(trusted)), ""),
        quorum=min(lineup.quorum, max(len(seats), 1)),
    )
