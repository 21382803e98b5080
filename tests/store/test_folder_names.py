"""Names of classes become names of folders that every system allows."""

import pytest

from flowergui.store.folder_names import MAX_NAME_BYTES, folder_names


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("rose", "rose"),
        ("矢车菊", "矢车菊"),
        ("rose / wild", "rose _ wild"),
        ("..", "_"),
        ("../../etc", "_.._etc"),
        (".hidden", "hidden"),
        ("iris. ", "iris"),
        ("", "_"),
        ("C:\\x", "C__x"),
        ("a\nb\0c", "a_b_c"),
        ("con", "_con"),
        ("LPT1.jpg", "_LPT1.jpg"),
        ("console", "console"),
        ("re\u0301se\u0301da", "réséda"),
        (b"\xff".decode("utf-8", "surrogateescape"), "_"),
    ],
)
def test_a_class_names_a_folder(name: str, folder: str) -> None:
    assert folder_names([name]) == {name: folder}


def test_no_two_classes_share_a_folder() -> None:
    names = folder_names(["a/b", "a_b", "A:B", "unsure", "Unsure"], reserved=("unsure",))
    assert len({each.casefold() for each in names.values()} | {"unsure"}) == len(names) + 1


def test_a_long_name_is_cut_at_a_character() -> None:
    (folder,) = folder_names(["花" * 300]).values()
    assert folder == "花" * (MAX_NAME_BYTES // 3)
