"""Which language the program speaks."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from wcwidth import width

from flowergui import language
from flowergui.__main__ import main
from flowergui.errors import FlowerError
from flowergui.language import Language
from flowergui.text import tr, trn

ENGLISH, CHINESE = Language.ENGLISH, Language.SIMPLIFIED_CHINESE


@pytest.mark.parametrize(
    ("tag", "found"),
    [
        ("en", ENGLISH),
        ("en_GB.UTF-8", ENGLISH),
        ("en-US", ENGLISH),
        ("C", ENGLISH),
        ("C.UTF-8", ENGLISH),
        ("POSIX", ENGLISH),
        ("zh", CHINESE),
        ("zh_CN", CHINESE),
        ("zh_CN.UTF-8", CHINESE),
        ("zh_CN.GB18030@pinyin", CHINESE),
        ("zh-Hans", CHINESE),
        ("zh-Hans-CN", CHINESE),
        ("zh-Hans-HK", CHINESE),
        ("zh-SG", CHINESE),
        ("ZH_cn", CHINESE),
        ("Chinese (Simplified)_China", CHINESE),
        ("zh-TW", None),
        ("zh_HK.UTF-8", None),
        ("zh-Hant-CN", None),
        ("de_DE.UTF-8", None),
        ("zhx", None),
        ("", None),
    ],
)
def test_a_tag_names_a_language(tag: str, found: Language | None) -> None:
    assert language.find(tag) is found


@pytest.mark.parametrize(
    ("tags", "chosen"),
    [
        ([], ENGLISH),
        ([""], ENGLISH),
        (["de", "zh_CN", "en"], CHINESE),
        (["en", "zh_CN"], ENGLISH),
        (["zh_TW", "zh"], CHINESE),
        (["zh_TW"], ENGLISH),
    ],
)
def test_the_first_language_that_it_speaks(tags: list[str], chosen: Language) -> None:
    assert language.preferred(tags) is chosen


def test_the_system_names_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    assert len(language.system_tags()) == 1  # that of the locale
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert language.system_tags() == ["de_DE.UTF-8"]
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert language.system_tags() == ["zh_CN.UTF-8"]
    monkeypatch.setenv("LANGUAGE", "de:zh_CN")
    assert language.system_tags() == ["de", "zh_CN"]


def test_the_variable_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWERGUI_LANGUAGE", "zh-Hans")
    assert language.asked_for() is CHINESE
    monkeypatch.setenv("FLOWERGUI_LANGUAGE", "")
    assert language.asked_for() is None


def test_a_language_that_it_does_not_speak_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FLOWERGUI_LANGUAGE", "tlh")
    with pytest.raises(FlowerError, match="tlh"):
        language.asked_for()
    for words in (["runs"], [], ["--help"]):
        assert main(words) == 2
        said = capsys.readouterr().err
        assert said.startswith("flowergui: There is no language tlh (FLOWERGUI_LANGUAGE).")
        assert said.endswith("The languages are en, zh_CN.\n")


@pytest.mark.usefixtures("chinese")
def test_commands_speak_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--note", "x"]) == 2
    assert "备注只能写给一条训练记录。" in capsys.readouterr().err
    assert trn("{count} image", "{count} images", 1500) == "1,500 张图片"


@pytest.mark.usefixtures("chinese")
def test_help_is_chinese_and_fits_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for words in ([], ["train"], ["evaluate"]):
        assert main([*words, "--help"]) == 0
        printed = capsys.readouterr().out
        assert printed.startswith(" ".join(["用法：flowergui", *words]))
        assert max(width(line) for line in printed.splitlines()) <= 80
        english = re.findall(r"^ {24}[A-Za-z ,.]+$", printed, re.M)
        assert english == []
        assert not re.search(r"usage|options:|arguments|exit", printed)


@pytest.mark.usefixtures("chinese")
def test_a_wrong_command_line_is_refused_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train"]) == 2
    said = capsys.readouterr().err
    assert "FOLDER" in said
    assert "required" not in said


def test_without_a_compiled_catalog_it_is_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(language.paths, "translations_folder", lambda: tmp_path)
    language.use(CHINESE)
    assert tr("A note can be written on one run only.") == "A note can be written on one run only."
    assert "not compiled" in caplog.text


def test_the_system_decides_where_nobody_chose(translations: Path) -> None:
    """In a process of its own: the tests are English."""
    program = (
        "from pathlib import Path; from flowergui.store import paths; "
        f"paths.translations_folder = lambda: Path({str(translations)!r}); "
        "from flowergui.__main__ import main; raise SystemExit(main(['runs', '--note', 'x']))"
    )
    environment = {**os.environ, "LANG": "zh_CN.UTF-8", "PYTHONUTF8": "1"}
    for variable in ("FLOWERGUI_LANGUAGE", "LANGUAGE", "LC_ALL", "LC_MESSAGES"):
        environment.pop(variable, None)
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, check=False
    )
    assert ended.returncode == 2
    assert "备注只能写给一条训练记录。" in ended.stderr.decode("utf-8")
