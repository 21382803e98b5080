"""A run's photos, held against its folder."""

from pathlib import Path

from flowergui.learning import inventory, photos
from flowergui.run_folder import RunFolder


class Asked(tuple[str, ...]):
    """Class names that count how often they are gone through to find one."""

    times = 0

    def __contains__(self, name: object) -> bool:
        type(self).times += 1
        return super().__contains__(name)


def test_the_classes_are_not_gone_through_for_each_photo(folder: Path, tmp_path: Path) -> None:
    rows = photos.listing(folder)
    run = RunFolder(tmp_path)
    run.write_split(rows[1:], folder)
    classes = Asked(sorted({name for _, name, _ in rows}))
    taking = inventory.take(run, folder, classes)
    try:
        while True:
            next(taking)
    except StopIteration as end:
        known = end.value
    assert (len(known.rows), len(known.added)) == (len(rows) - 1, 1)
    assert not known.strangers
    assert not known.gone
    assert Asked.times == 0
