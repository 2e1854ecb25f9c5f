"""Every attack in `attacks/`; attack_files.py says how they are written."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import pytest
from arena import Arena
from attack_files import Attack, all_attacks
from carrying_out import carry_out

ALL = list(all_attacks())


def _marks(attack: Attack) -> list[pytest.MarkDecorator]:
    machine = attack.header.machine
    other = machine not in ("", platform.machine())
    skip = pytest.mark.skipif(other, reason=f"its system calls are numbered as on {machine}")
    return [skip, *([pytest.mark.smoke] if attack.header.smoke else [])]


def _each() -> list[Any]:
    return [
        pytest.param(
            attack, variant, id=f"{attack.name}/{variant}".rstrip("/"), marks=_marks(attack)
        )
        for attack in ALL
        if not attack.header.checked_in
        for variant in attack.variants or [""]
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("attack", "variant"), _each())
def test_attack(arena: Arena, attack: Attack, variant: str, request: pytest.FixtureRequest) -> None:
    memory = request.getfixturevalue("memory") if attack.header.bounded else None
    carry_out(arena, attack.name, variant, memory)


def test_attacks_that_another_file_checks_are_named_there() -> None:
    elsewhere = {
        attack.name: attack.header.checked_in for attack in ALL if attack.header.checked_in
    }
    assert elsewhere
    for name, file in elsewhere.items():
        assert f'"{name}"' in (Path(__file__).parent / file).read_text(encoding="utf-8")
