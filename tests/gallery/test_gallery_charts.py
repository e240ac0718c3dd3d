"""Where bars, ticks and labels of the statistics page stand."""

from __future__ import annotations

import pytest

from data_gen.gallery.charts import BOTTOM, LEFT, RIGHT, TOP, bars, histogram


def counts_of(chart) -> list[int]:
    return [int(column.label.rsplit(": ", 1)[1].replace(",", "")) for column in chart.columns]


@pytest.mark.parametrize(
    "values",
    [[0.1, 0.5, 0.9], [3.0] * 5, [0.0], [-2.5, 7.0, 7.0], [0.3 * k for k in range(100)], [1e-4, 2e-4], [1e5, 3e6]],
)
@pytest.mark.parametrize("whole", [False, True])
def test_every_value_is_in_a_column_and_every_column_in_the_chart(values: list[float], whole: bool) -> None:
    chart = histogram("x", [round(value) for value in values] if whole else values, whole=whole)
    assert chart is not None
    assert sum(counts_of(chart)) == len(values)
    for column in chart.columns:
        assert column.x >= LEFT - 0.1 and column.x + column.width <= RIGHT + 0.1
        assert column.y >= TOP - 0.1 and column.y + column.height == pytest.approx(BOTTOM, abs=0.11)
    assert all(LEFT - 0.1 <= x <= RIGHT + 0.1 for x, _ in chart.x_ticks) and chart.x_ticks
    assert len(chart.columns) <= 45


def test_columns_are_where_their_values_are() -> None:
    chart = histogram("x", [1, 1, 1, 2, 4], whole=True)
    assert chart is not None
    assert counts_of(chart) == [3, 1, 0, 1]
    assert [column.label for column in chart.columns] == ["1: 3", "2: 1", "3: 0", "4: 1"]
    one, two = (column.height for column in chart.columns[:2])
    assert one == pytest.approx(3 * two, abs=0.2)
    ticks = {text: x for x, text in chart.x_ticks}
    for column, name in zip(chart.columns, "1234", strict=True):
        assert ticks[name] == pytest.approx(column.x + column.width / 2, abs=0.2)


def test_numbers_beside_the_chart() -> None:
    chart = histogram("x", [0.1, 0.2, 0.6], unit="%", low=0.0)
    assert chart is not None
    assert chart.summary == "mean 30%, median 20%, 10 to 60%, n = 3"
    assert chart.x_ticks[0] == (LEFT, "0")
    tiny = histogram("x", [3e-5, 2.0, 1.0], unit="m")
    assert tiny is not None and tiny.summary == "mean 1 m, median 1 m, 0 to 2 m, n = 3"
    metres = histogram("x", [1.0, 2.0], unit="m")
    assert metres is not None and metres.summary == "mean 1.5 m, median 1.5 m, 1 to 2 m, n = 2"


def test_bars_are_in_order_of_size() -> None:
    chart = bars("x", {"a": 2, "c": 8, "b": 8, "d": 1}, most=3, colors={"c": "#123456"})
    assert chart is not None
    assert [(bar.label, bar.count, bar.share, bar.color) for bar in chart.bars] == [
        ("b", 8, 1.0, ""),
        ("c", 8, 1.0, "#123456"),
        ("a", 2, 0.25, ""),
    ]
    assert chart.rest == 1


def test_nothing_has_no_chart() -> None:
    assert histogram("x", []) is None and bars("x", {}) is None
