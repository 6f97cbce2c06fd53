"""The example config that the README, the demo and `init` all build on."""

from pathlib import Path

import pytest
import yaml

from litellm_fusion.cli import reading, settings
from litellm_fusion.cli.example import example_path, example_text
from litellm_fusion.layers import resolve
from litellm_fusion.lineup import line_up

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def config():
    return reading.read(ROOT / "example_config.yaml")


def test_the_command_reads_the_one_file_at_the_top_of_the_repository():
    assert example_path().read_text("utf-8") == (ROOT / "example_config.yaml").read_text("utf-8")


def test_it_has_the_three_fusion_models(config):
    assert [entry.name for entry in config.fusion] == ["fusion/research", "fusion/general", "fusion/self"]


@pytest.mark.parametrize(
    ("name", "preset", "models", "direct"),
    [
        ("fusion/research", "research", ["opus", "gpt", "gemini"], "opus"),
        ("fusion/general", "general", ["opus", "gpt", "gemini"], "gpt"),
        ("fusion/self", "general", ["opus", "opus", "opus"], "opus"),
    ],
)
def test_each_fusion_model_resolves(config, name, preset, models, direct):
    entry = next(entry for entry in config.fusion if entry.name == name)

    own = resolve(entry.raw, (name, name), config.settings).config
    lineup = line_up(own, lambda model: model)

    assert own.preset == preset
    assert [seat.model for seat in lineup.seats] == models
    assert lineup.direct == direct


def test_every_model_that_takes_part_is_in_it(config):
    served = {entry["model_name"] for entry in config.plain}
    for entry in config.fusion:
        assert set(line_up(config.resolved(entry).config, lambda model: model).models) <= served


def test_it_lacks_no_setting_that_a_fusion_proxy_wants(config):
    assert [finding for finding in settings.of_proxy(config) if finding.level != "note"] == []


def test_no_key_stands_in_it():
    raw = yaml.safe_load(example_text())
    keys = [entry["litellm_params"].get("api_key") for entry in raw["model_list"]]
    assert all(key is None or key.startswith("os.environ/") for key in keys)
    assert raw["general_settings"]["master_key"] == "os.environ/LITELLM_MASTER_KEY"
