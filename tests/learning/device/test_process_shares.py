"""What belongs to which process; the rest is tested where several train."""

import pytest
import torch
from torch import nn

from flowergui.learning.device.distributed import OutOfMemoryOnAllRanksError, World, merged, world


def test_every_image_belongs_to_one_process() -> None:
    batch = tuple(range(10, 21))
    shares = [World(rank, 4).share(batch) for rank in range(4)]
    assert sorted(merged(shares)) == list(batch)
    rows = [World(rank, 4).rows(torch.tensor(batch)).tolist() for rank in range(4)]
    assert rows == [list(share) for share in shares]


def test_groups_are_dealt_out_in_as_many_rounds() -> None:
    groups = [(0, 1), (2, 3), (4,)]
    dealt = [World(rank, 2).own_groups(groups) for rank in range(2)]
    assert dealt == [[(0, 1), (4,)], [(2, 3), ()]]
    assert [World(rank, 2).owns_group(2) for rank in range(2)] == [True, False]


def test_one_process_is_the_identity() -> None:
    alone = world()
    assert alone.is_alone
    assert alone.is_main
    assert alone.all_reduce_sum(2, 3.5) == (2, 3.5)
    assert alone.any_rank(True)
    assert alone.all_gather("a") == ["a"]
    assert alone.from_rank_0(lambda: 7) == 7
    head = nn.Linear(2, 2)
    assert alone.parallel(head) is head
    assert alone.prepared(head, torch.device("cpu")) is head


def test_memory_that_gives_out_is_told_apart_from_other_errors() -> None:
    with pytest.raises(OutOfMemoryOnAllRanksError), World().out_of_memory_on_all_ranks():
        raise MemoryError
    with pytest.raises(RuntimeError, match="another"), World().out_of_memory_on_all_ranks():
        raise RuntimeError("another one")
